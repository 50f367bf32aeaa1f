"""Make the data docs readable without a network, with a first page that names the offenders."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from markupsafe import escape

from ingest.errors import InputError
from reports.template import render_template, style
from reports.verdict import Verdict

MARK = ".driftnet-data-docs"
POLICY = (
    '<meta http-equiv="Content-Security-Policy"'
    " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)

_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_LOADED = re.compile(r"<(?:link|img)\b[^>]*>", re.IGNORECASE)
_BACKGROUND = re.compile(r"background(?:-image)?:[^;}]*https?://[^;}]*;?", re.IGNORECASE)
_FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL | re.IGNORECASE)
_ON = re.compile(r"\son[a-z]+=\"[^\"]*\"", re.IGNORECASE)


@contextmanager
def new_site(docs: Path) -> Iterator[Path]:
    """Yield an empty folder beside `docs`; when the block ends well it takes the place of `docs`.

    Raises
    ------
    InputError
        Where `docs` is a folder with files that are not data docs of Driftnet: it is left alone.
    """
    if docs.exists() and any(docs.iterdir()) and not (docs / MARK).exists():
        raise InputError(
            f"{docs} holds files that are not data docs: name an empty or absent folder"
        )
    docs.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{docs.name}-", dir=docs.parent))
    folder.chmod(0o755)
    try:
        yield folder
        (folder / MARK).touch()
        if docs.exists():
            old = folder.with_name(folder.name + "-old")
            docs.rename(old)
            folder.rename(docs)
            shutil.rmtree(old)
        else:
            folder.rename(docs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_offline(site: Path) -> None:
    """Take scripts and everything remote out of the library's pages, and give them our style."""
    for page in site.rglob("*.html"):
        page.write_text(offline(page.read_text("utf-8")), "utf-8")
    shutil.rmtree(site / "static", ignore_errors=True)


def offline(text: str) -> str:
    """Return a page without scripts, handlers and whatever a browser would load for it."""
    for pattern in (_SCRIPT, _LOADED, _BACKGROUND, _FOOTER, _ON):
        text = pattern.sub("", text)
    return text.replace("</head>", f"{POLICY}<style>{style('docs.css')}</style></head>", 1)


def write_index(site: Path, verdict: Verdict) -> None:
    """Write the first page: the verdict, each suite with a link, each offender with its bound."""
    pages = {
        path.relative_to(site).parts[1]: escape(path.relative_to(site).as_posix())
        for path in sorted(site.glob("validations/**/*.html"))
    }
    text = render_template("docs.html.j2", verdict=verdict, pages=pages)
    (site / "index.html").write_text(text, "utf-8")
