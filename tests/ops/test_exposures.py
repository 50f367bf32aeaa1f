"""The exposures of the dbt project say who reads which marts; the code is held to them."""

import re

import pytest
import yaml

from ops.settings import CHECKOUT

MARTS = CHECKOUT / "dbt_project" / "models" / "marts"
NAMES = sorted(path.stem for path in MARTS.glob("*.sql"))
EXPOSURES = {
    exposure["name"]: {re.findall(r"'(\w+)'", ref)[0] for ref in exposure["depends_on"]}
    for exposure in yaml.safe_load((MARTS / "_marts__exposures.yml").read_text())["exposures"]
}


def named(room: str) -> set[str]:
    """Return the marts that the code of a room names."""
    text = "\n".join(path.read_text() for path in (CHECKOUT / room).rglob("*.py"))
    return {name for name in NAMES if re.search(rf"\b{name}\b", text)}


@pytest.mark.parametrize(
    ("room", "readers"),
    [("reports", ("gate", "page", "alerts")), ("stream", ("watch",)), ("retrain", ("retrain",))],
)
def test_a_room_reads_what_its_exposures_say(room: str, readers: tuple[str, ...]) -> None:
    assert set().union(*(EXPOSURES[reader] for reader in readers)) == named(room)


def test_every_reader_is_told_and_no_mart_is_there_for_nobody() -> None:
    assert set(EXPOSURES) == {"gate", "page", "alerts", "watch", "retrain", "metrics", "bi"}
    assert set().union(*EXPOSURES.values()) == set(NAMES)
