import re
from importlib import import_module
from pathlib import Path

from tests.house.reading import ROOT, files

PACKAGE = "dbt_project/packages/driftnet/macros"
HEADED = re.compile(r"\{#((?:(?!#\}).)*?)#\}\s*\{% macro (\w+)\((.*?)\)\s*-?%\}", re.DOTALL)
MACRO = re.compile(r"\{% macro (\w+)\(")


def headers() -> dict[str, tuple[str, list[str]]]:
    """Name of each macro with a header -> the header and the names of its arguments."""
    found = {}
    for path in files(PACKAGE, suffixes=(".sql",)):
        for header, name, signature in HEADED.findall(path.read_text()):
            plain = re.sub(r"\[.*?\]", "", signature)
            names = [word.split("=")[0].strip() for word in plain.split(",") if word.strip()]
            if not name.startswith("default__"):
                found[name] = (header.strip("\n"), names)
    return found


def documented() -> dict[str, tuple[str, list[str]]]:
    """Name of each macro in dbt's docs -> its description and the names of its arguments."""
    page = import_module("yaml").safe_load(Path(ROOT / PACKAGE / "_macros.yml").read_text())
    return {
        macro["name"]: (
            macro["description"],
            [argument["name"] for argument in macro["arguments"] if argument["description"]],
        )
        for macro in page["macros"]
    }


def test_every_public_macro_of_the_package_says_all_that_its_caller_must_know() -> None:
    public = {
        name
        for path in files(PACKAGE, suffixes=(".sql",))
        for name in MACRO.findall(path.read_text())
        if not name.startswith("default__")
    }
    known = headers()
    assert public == set(known)
    for name, (header, _) in known.items():
        for section in ("Parameters", "Returns", "Errors", "Source"):
            assert f"\n{section}\n" in header, (name, section)


def test_dbt_docs_say_the_same_as_the_headers() -> None:
    ours, theirs = headers(), documented()
    assert set(ours) - set(theirs) == set()
    assert set(theirs) - set(ours) == set()
    for name, (header, arguments) in ours.items():
        description, described = theirs[name]
        assert described == arguments, name
        before, _, rest = header.partition("\nParameters\n")
        after = rest.partition("\nReturns\n")[2]
        said = " ".join(f"{before} Returns {after}".split())
        assert " ".join(description.split()) == said, name


def test_a_macro_of_the_package_knows_nothing_of_this_project() -> None:
    wrong = [
        str(path)
        for path in files(PACKAGE, suffixes=(".sql",))
        if re.search(r"\b(ref|source|var)\(|target\.", path.read_text())
    ]
    assert not wrong
