"""The project's own source, read for the house rules."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("ingest", "udfs", "stream", "retrain", "reports", "ops")
MADE = {"target", "logs", "dbt_packages", "__pycache__"}


def modules() -> list[Path]:
    """Return every Python file of the rooms, relative to the checkout."""
    return sorted(path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py"))


@cache
def tree(module: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse((ROOT / module).read_text(), filename=str(module))


def nodes(module: Path) -> Iterator[ast.AST]:
    """Return every node of a module."""
    return ast.walk(tree(module))


def dotted(node: ast.AST) -> str:
    """Return a name with dots, such as os.environ; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def calls(module: Path) -> list[tuple[str, ast.Call]]:
    """Return every call of a module with the dotted name of what is called."""
    return [(dotted(node.func), node) for node in nodes(module) if isinstance(node, ast.Call)]


def imports(module: Path) -> set[str]:
    """Return the dotted names of the modules that a module imports, at any depth."""
    found: set[str] = set()
    for node in nodes(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            known = {
                name
                for name in inner
                if (ROOT / Path(*name.split("."))).with_suffix(".py").exists()
            }
            found |= known or {node.module}
    return found


def files(*folders: str, suffixes: tuple[str, ...] = ()) -> list[Path]:
    """Return the text files under some folders that were written by hand."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and not MADE & set(path.relative_to(ROOT).parts)
        and (not suffixes or path.suffix in suffixes)
    )
