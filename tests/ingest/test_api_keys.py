import pytest

from ingest.errors import InputError
from ingest.serving.keys import Keys

LONG = "a-key-of-20-letters."


@pytest.mark.parametrize("key", ["", "short", "x" * 15, "with a blank in it..", "\u00e9" * 20])
def test_a_key_that_is_short_or_strange_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InputError, match="API key 2 cannot be used") as refusal:
        Keys([LONG, key])
    assert not key or key not in str(refusal.value)


def test_the_keys_themselves_are_not_kept() -> None:
    assert LONG not in repr(vars(Keys([LONG])))


@pytest.mark.parametrize("header", ["Bearer " + LONG, "bearer " + LONG, "BEARER  " + LONG])
def test_the_scheme_is_read_in_any_case(header: str) -> None:
    assert Keys(["another-key-of-some-length", LONG]).admit(header)


@pytest.mark.parametrize(
    "header", [None, "", LONG, "Bearer", f"Basic {LONG}", f"Bearer {LONG}\udcff"]
)
def test_anything_else_is_not_let_in(header: str | None) -> None:
    assert not Keys([LONG]).admit(header)
