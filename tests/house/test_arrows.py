from pathlib import Path

import pytest

from tests.house.reading import ROOMS, imports, modules

ALLOWED = {
    "ingest": {"ingest"},
    "udfs": {"udfs"},
    "stream": {"stream", "ingest"},
    "retrain": {"retrain", "ingest"},
    "reports": {"reports", "ingest"},
    "ops": {"ops", "ingest", "stream", "retrain", "reports"},
}


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_between_rooms_only_go_down(room: str) -> None:
    wrong = {
        (str(module), target)
        for module in modules()
        if module.parts[0] == room
        for target in imports(module)
        if target.split(".")[0] in ROOMS and target.split(".")[0] not in ALLOWED[room]
    }
    assert not wrong


def test_no_room_imports_the_tests_or_needs_them() -> None:
    assert not [m for m in modules() if any(i.split(".")[0] == "tests" for i in imports(m))]


def test_modules_import_each_other_in_no_circle() -> None:
    known = {_name(module): module for module in modules()}
    arrows = {name: imports(module) & set(known) - {name} for name, module in known.items()}
    left = dict(arrows)
    while leaves := [name for name, targets in left.items() if not targets & set(left)]:
        for name in leaves:
            del left[name]
    assert not left, f"a circle goes through {sorted(left)}"


def test_the_command_line_is_imported_by_nobody_but_itself() -> None:
    wrong = [
        str(module)
        for module in modules()
        if not module.name.startswith("cli")
        and any(i.startswith("ops.cli") for i in imports(module))
    ]
    assert not wrong


def _name(module: Path) -> str:
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")
