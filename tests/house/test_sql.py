import re
from pathlib import Path

from tests.house.reading import ROOT, files

# Where a star may stand, on a line of its own: it fetches a table (`select * from {{ ref('x') }}`),
# takes the rows of a CTE as they are (in a union, or those of one condition), or is the foot.
WHOLE = re.compile(r"select \* from (\{\{.*?\}\}|\w+)( where .+)?")
STAR = re.compile(r"(\bselect|,)\s+\*|\b[a-z_]\w*\.\*")


def models() -> list[Path]:
    return [path.relative_to(ROOT) for path in files("dbt_project/models", suffixes=(".sql",))]


def test_there_are_models_to_hold_to_the_style() -> None:
    assert models()


def test_a_model_begins_with_what_one_row_is() -> None:
    assert not [m for m in models() if not (ROOT / m).read_text().startswith("{# One row per ")]


def test_a_star_takes_the_rows_of_one_table_as_they_are() -> None:
    wrong = [
        f"{model}:{number}: {line.strip()}"
        for model in models()
        for number, line in enumerate((ROOT / model).read_text().splitlines(), 1)
        if STAR.search(line) and not WHOLE.fullmatch(line.strip())
    ]
    assert not wrong


def test_a_model_ends_with_all_of_its_last_table() -> None:
    feet = {model: (ROOT / model).read_text().rstrip().splitlines()[-1] for model in models()}
    bare = re.compile(r"(select \* from \w+|\{%-? *endif *-?%\})")
    assert not [f"{model}: {foot}" for model, foot in feet.items() if not bare.fullmatch(foot)]


def test_an_engine_is_asked_for_only_in_the_package() -> None:
    places = [
        *files("dbt_project/models"),
        *files("dbt_project/macros"),
        *files("dbt_project/tests"),
    ]
    assert not [str(path) for path in places if re.search(r"target\.(type|name)", path.read_text())]


def test_casts_are_written_out() -> None:
    places = files(
        "dbt_project/models", "dbt_project/macros", "dbt_project/tests", suffixes=(".sql",)
    )
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in places
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"\w\s*::\s*\w", line)
    ]
    assert not wrong


def test_every_model_has_its_own_page_of_words() -> None:
    named: set[str] = set()
    for path in files("dbt_project/models", suffixes=(".yml",)):
        named |= set(re.findall(r"^\s*- name: (\w+)", path.read_text(), re.MULTILINE))
    assert not [str(model) for model in models() if model.stem not in named]
