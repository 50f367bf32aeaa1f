"""Take pictures of a page with headless Chromium.

`python -m tests.reports.screenshots PAGE FOLDER`: wide and narrow, light and dark, as printed.
Nothing is loaded from a network.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
WIDTHS = (360, 1280)
HEIGHT = 2400


def browser() -> str | None:
    """Return the path of a Chromium, None where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def take(page: Path, folder: Path) -> list[Path]:
    """Write the pictures and the printed page of an HTML file; return their paths."""
    program = browser()
    if program is None:
        raise FileNotFoundError("no Chromium: apt-get install -y chromium")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            picture = folder / f"{page.stem}-{width}-{scheme}.png"
            dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
            # A window is at least 500 wide: a narrow page stands in a frame of its own.
            shown = page if width >= 500 else _framed(page, folder, width)
            size = f"--window-size={max(width, 500)},{HEIGHT}"
            _run(program, [*dark, size, f"--screenshot={picture}", shown.resolve().as_uri()])
            made.append(picture)
    printed = folder / f"{page.stem}.pdf"
    _run(
        program,
        ["--no-pdf-header-footer", f"--print-to-pdf={printed}", page.resolve().as_uri()],
    )
    return [*made, printed]


def _framed(page: Path, folder: Path, width: int) -> Path:
    frame = folder / f".{page.stem}-{width}.html"
    frame.write_text(
        f'<!doctype html><meta name="color-scheme" content="light dark"><body style="margin:0">'
        f'<iframe src="{page.resolve().as_uri()}"'
        f' style="border:0;width:{width}px;height:{HEIGHT}px">'
        "</iframe>"
    )
    return frame


def _run(program: str, words: list[str]) -> None:
    with tempfile.TemporaryDirectory() as profile:
        command = [program, *QUIET, f"--user-data-dir={profile}", *words]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    for path in take(Path(sys.argv[1]), Path(sys.argv[2])):
        print(path)
