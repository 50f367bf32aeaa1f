"""Measured pages: each module of a folder measures one thing and writes one section of a page.

A module has `TITLE` and `run(say)`, which tells its progress line by line and returns Markdown:
what was measured on what, then tables, then what follows. Sections stand between marks, so that
one can be measured again without the others.
"""

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

Say = Callable[[str], None]


def main(package: str, page: Path, heading: str, words: Sequence[str]) -> int:
    """Measure the named parts of a package, or all, and write their sections of the page."""
    known = [
        found.name for found in pkgutil.iter_modules(importlib.import_module(package).__path__)
    ]
    parts = {
        name: importlib.import_module(f"{package}.{name}")
        for name in known
        if not name.startswith("_")
    }
    parts = {name: part for name, part in parts.items() if hasattr(part, "run")}
    if unknown := sorted(set(words) - set(parts)):
        print(f"no part {', '.join(unknown)}; known are {', '.join(parts)}", file=sys.stderr)
        return 2
    for name in words or parts:
        print(f"== {parts[name].TITLE}", flush=True)
        section = parts[name].run(lambda line: print(f"   {line}", flush=True))
        print(section, flush=True)
        page.write_text(_with_section(_text(page, heading), name, parts[name], section))
    return 0


def _text(page: Path, heading: str) -> str:
    return page.read_text() if page.exists() else f"{heading}\n"


def _with_section(text: str, name: str, part: ModuleType, section: str) -> str:
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    body = f"{begin}\n## {part.TITLE}\n\n{section.strip()}\n\n{end}"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if marked.search(text):
        return marked.sub(lambda _: body, text)
    return f"{text.rstrip()}\n\n{body}\n"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; floats with three significant digits."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
