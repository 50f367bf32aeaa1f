from pathlib import Path

import pytest

from ingest.errors import DriftnetError, InputError
from ops.settings import KNOWN, read


def test_without_variables_the_home_is_data_under_the_folder_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read({}).home == tmp_path / "data"


def test_a_misspelt_variable_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(InputError) as refusal:
        read({"DRIFTNET_TOPIC": "x", "PATH": "/bin"})
    assert "DRIFTNET_TOPIC" in str(refusal.value)
    assert all(name in str(refusal.value) for name in KNOWN)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DRIFTNET_PREDICTIONS_TOPIC", "../etc"),
        ("DRIFTNET_LABELS_TOPIC", ".."),
        ("DRIFTNET_THREADS", "0"),
        ("DRIFTNET_THREADS", "two"),
        ("DRIFTNET_MEMORY_LIMIT", "much"),
        ("DRIFTNET_SUBJECT_STORAGE", "some"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InputError, match=name):
        read({name: value})


def test_dbt_gets_the_home_as_an_absolute_path_and_no_telemetry() -> None:
    environment = read({"DRIFTNET_HOME": "elsewhere", "PATH": "/bin"}).dbt_environment()
    assert Path(environment["DRIFTNET_HOME"]).is_absolute()
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["PATH"] == "/bin"


def test_the_keys_of_the_api_are_read_apart_shown_nowhere_and_handed_to_nobody() -> None:
    found = read({"DRIFTNET_API_KEYS": " one-key, another-key ,"})
    assert found.api_keys == ("one-key", "another-key")
    assert "one-key" not in repr(found)
    assert not [x for x in found.dbt_environment().values() if "one-key" in x]


def test_every_variable_that_dbt_reads_is_known() -> None:
    import re

    checkout = read({}).checkout
    texts = [checkout / "profiles.yml", *(checkout / "dbt_project").rglob("*.yml")]
    texts += [*(checkout / "dbt_project").rglob("*.sql")]
    read_by_dbt = {
        name
        for path in texts
        if not {"target", "dbt_packages"} & set(path.parts)
        for name in re.findall(r"env_var\(\s*['\"](\w+)", path.read_text())
    }
    assert "DRIFTNET_HOME" in read_by_dbt
    assert read_by_dbt <= set(KNOWN)


def test_an_install_without_its_checkout_says_so(tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(DriftnetError, match="checkout"):
        _ = replace(read({}), checkout=tmp_path).project_dir
