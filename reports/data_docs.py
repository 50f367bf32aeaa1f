"""Make the data docs readable without a network, with a first page that names the offenders."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from markupsafe import Markup, escape

from ingest.errors import InputError
from ingest.sealed import replace_text
from reports import figures
from reports.template import render_template, style
from reports.verdict import Verdict

MARK = ".driftnet-data-docs"
RUNS = "runs"
FACTS = "run.json"
KEPT_RUNS = 20
SHOWN_RUNS = 20
REMOVED_AT_ONCE = 100
POLICY = (
    '<meta http-equiv="Content-Security-Policy"'
    " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)

_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_LOADED = re.compile(r"<(?:link|img)\b[^>]*>", re.IGNORECASE)
_BACKGROUND = re.compile(r"background(?:-image)?:[^;}]*https?://[^;}]*;?", re.IGNORECASE)
_FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL | re.IGNORECASE)
_ON = re.compile(r"\son[a-z]+=\"[^\"]*\"", re.IGNORECASE)


@dataclass(frozen=True)
class Run:
    """The pages of one judgement: written to `folder`, kept in the site `docs` under `stamp`."""

    docs: Path
    stamp: str
    folder: Path


@contextmanager
def new_run(docs: Path, at: datetime, kept: int = KEPT_RUNS) -> Iterator[Run]:
    """Yield an empty folder for one run; when the block ends well it joins the site.

    The site then keeps its newest `kept` runs: what Great Expectations would slow down with, at
    thousands of validations, is never there. Of more than a hundred too many the oldest hundred go;
    the rest goes with the next runs, so that none takes long.

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
        yield Run(docs, _stamp(docs, at), folder)
        _prune(docs, kept)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stamp(docs: Path, at: datetime) -> str:
    stamp, number = f"{at:%Y%m%dT%H%M%S.%fZ}", 0
    while (docs / RUNS / f"{stamp}-{number}").exists():
        number += 1
    return f"{stamp}-{number}"


def _prune(docs: Path, kept: int) -> None:
    for old in sorted((docs / RUNS).iterdir())[: -max(kept, 1)][:REMOVED_AT_ONCE]:
        shutil.rmtree(old)


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


def write_index(run: Run, verdict: Verdict) -> None:
    """Bring a run to rest and make it the site's first page.

    The first page says the verdict, each suite with a link, each offender with its bound, and the
    runs before. Every run keeps such a page of its own.
    """
    pages = {
        path.relative_to(run.folder).parts[1]: path.relative_to(run.folder).as_posix()
        for path in sorted(run.folder.glob("validations/**/*.html"))
    }
    of_run = render_template("docs.html.j2", verdict=verdict, pages=_escaped(pages), runs=[])
    (run.folder / "index.html").write_text(of_run, "utf-8")
    facts = {
        "status": verdict.status,
        "window": figures.window(verdict.window_start_at, verdict.window_grain),
        "judged_at": f"{verdict.judged_at:%Y-%m-%d %H:%M}",
    }
    (run.folder / FACTS).write_text(json.dumps(facts), "utf-8")
    (run.docs / RUNS).mkdir(parents=True, exist_ok=True)
    (run.docs / MARK).touch()
    run.folder.rename(run.docs / RUNS / run.stamp)
    inside = {suite: f"{RUNS}/{run.stamp}/{path}" for suite, path in pages.items()}
    before = (old for old in _runs(run.docs) if old["stamp"] != run.stamp)
    shown = list(islice(before, SHOWN_RUNS))
    text = render_template("docs.html.j2", verdict=verdict, pages=_escaped(inside), runs=shown)
    replace_text(run.docs / "index.html", text)


def _runs(docs: Path) -> Iterator[dict[str, str]]:
    """Yield the kept runs, the newest first; a run whose facts cannot be read is left out."""
    for folder in sorted((docs / RUNS).iterdir(), reverse=True):
        try:
            facts = dict(json.loads((folder / FACTS).read_text("utf-8")))
        except (OSError, ValueError):
            continue
        yield facts | {"stamp": folder.name}


def _escaped(pages: Mapping[str, str]) -> dict[str, Markup]:
    return {suite: escape(path) for suite, path in pages.items()}
