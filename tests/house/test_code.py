import ast
import re
from pathlib import Path

import pytest

from tests.house.reading import ROOT, calls, dotted, files, imports, modules, nodes, tree

LONGEST_MODULE = 250  # lines
HAND_WRITTEN = (
    ".py",
    ".sql",
    ".yml",
    ".yaml",
    ".md",
    ".toml",
    ".html",
    ".css",
    ".js",
    ".j2",
    ".txt",
)


def where(module: Path, node: ast.AST) -> str:
    return f"{module}:{getattr(node, 'lineno', 0)}"


def test_only_settings_reads_the_environment() -> None:
    names = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
    wrong = [
        where(module, node)
        for module in modules()
        if module != Path("ops/settings.py")
        for node in nodes(module)
        if dotted(node) in names
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and any(f"os.{alias.name}" in names for alias in node.names)
        )
    ]
    assert not wrong


def test_only_the_warehouse_module_opens_a_database_file() -> None:
    # Elsewhere DuckDB is an engine: connected in memory, it attaches nothing (but the database
    # that a caller of `driftnet import` names).
    assert not [str(m) for m in modules() if _imports_name(m, "duckdb", "connect")]
    wrong = [
        where(module, call)
        for module in modules()
        if module != Path("ops/warehouse.py")
        for name, call in calls(module)
        if name == "duckdb.connect" and not _is_in_memory(call)
    ]
    attached = [
        where(module, node)
        for module in modules()
        if module not in {Path("ops/warehouse.py"), Path("ingest/batches/source.py")}
        for node in nodes(module)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.match(r"\s*attach\s", node.value, re.IGNORECASE)
    ]
    assert not wrong
    assert not attached


def _imports_name(module: Path, source: str, name: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == source
        and name in {alias.name for alias in node.names}
        for node in nodes(module)
    )


def _is_in_memory(call: ast.Call) -> bool:
    given = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "database")]
    return all(isinstance(value, ast.Constant) and value.value == ":memory:" for value in given)


def test_only_settings_and_the_warehouse_module_know_the_name_of_the_file() -> None:
    wrong = [
        where(module, node)
        for module in modules()
        if module not in {Path("ops/settings.py"), Path("ops/warehouse.py")}
        for node in nodes(module)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and "driftnet.duckdb" in node.value
        and "\n" not in node.value  # a docstring may name it
    ]
    assert not wrong


def is_command_line(module: Path) -> bool:
    return module == Path("ops/cli.py") or module.parts[:2] == ("ops", "verbs")


def test_only_the_command_line_prints() -> None:
    names = {"print", "click.echo", "click.secho", "sys.stdout.write", "sys.stderr.write"}
    wrong = [
        where(module, call)
        for module in modules()
        if not is_command_line(module)
        for name, call in calls(module)
        if name in names
    ]
    drawn = [
        str(module)
        for module in modules()
        if not is_command_line(module)
        and any(name.split(".")[0] in {"rich", "click"} for name in imports(module))
    ]
    assert not wrong
    assert not drawn


def test_functions_enter_sql_by_one_door() -> None:
    wrong = [
        where(module, call)
        for module in modules()
        if module != Path("udfs/plugin.py")
        for name, call in calls(module)
        if name.endswith("create_function")
    ]
    assert not wrong
    assert imports(Path("udfs/plugin.py")) >= {"udfs.registry"}


def test_no_module_is_long() -> None:
    lengths = {str(m): len((ROOT / m).read_text().splitlines()) for m in modules()}
    assert not {name: count for name, count in lengths.items() if count > LONGEST_MODULE}


def test_nothing_happens_at_import() -> None:
    # Definitions, constants, and the guard of a script; no statement that does something.
    quiet = (
        ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef,
        ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If,
    )  # fmt: skip
    wrong = [
        where(module, node)
        for module in modules()
        if module != Path("ops/cli.py")  # adds the verbs to the group
        for node in tree(module).body
        if not isinstance(node, quiet)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert not wrong


def test_everything_public_says_what_it_does() -> None:
    silent = []
    for module in modules():
        for node in [tree(module), *_public(tree(module))]:
            if not ast.get_docstring(node):
                silent.append(where(module, node))
    assert not silent


def _public(parent: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    found: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
    for node in getattr(parent, "body", []):
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if named and not node.name.startswith("_"):
            found.append(node)
        if isinstance(node, ast.ClassDef):
            found += _public(node)
    return found


@pytest.mark.parametrize(
    "place", ["udfs", "stream", "reports", "dbt_project/packages", "dbt_project/models/marts"]
)
def test_no_word_of_the_shipped_model_stands_in_the_general_parts(place: str) -> None:
    words = re.compile("url|phish", re.IGNORECASE)
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files(place)
        if path.suffix in HAND_WRITTEN
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if words.search(line)
    ]
    assert not wrong


def test_no_path_of_a_machine_stands_in_any_file() -> None:
    folders = "home|root|work|Users|srv|mnt"
    path_of_a_machine = re.compile(rf"(?<![\w.~)}}\"'])/(?:{folders})/[\w.]")
    places = [
        *files("ingest", "udfs", "stream", "retrain", "reports", "ops", "tests", "dbt_project"),
        *files("requirements", ".ci", "docs"),
        *(path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"),
    ]
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in places
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if path_of_a_machine.search(line)
    ]
    assert not wrong


def test_the_requirements_name_no_address() -> None:
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "index" not in re.sub(r"#.*", "", text)
