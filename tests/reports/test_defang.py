"""Text from data can neither link nor hide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.defang import defang, shorten


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("http://evil.example/a.php", "hxxp://evil[.]example/a[.]php"),
        ("HTTPS://EVIL.EXAMPLE", "HXXPS://EVIL[.]EXAMPLE"),
        ("ftp://x.example", "fxp://x[.]example"),
        ("javascript:alert(1)", "javascript[:]alert(1)"),
        ("data:text/html,x", "data[:]text/html,x"),
        ("10.0.0.1", "10[.]0[.]0[.]1"),
        ("(0.25, 12.5]", "(0.25, 12.5]"),
        ("a\u202egpj.exe", "a\ufffdgpj[.]exe"),
    ],
)
def test_schemes_hosts_and_hidden_characters_are_made_harmless(text: str, harmless: str) -> None:
    assert defang(text) == harmless


@given(st.text() | st.from_regex(r"https?://[a-z.]{1,20}/[a-z.:]{0,9}", fullmatch=True))
def test_defanging_twice_is_defanging_once(text: str) -> None:
    once = defang(text)
    assert defang(once) == once
    assert "http:" not in once.lower()
    assert "https:" not in once.lower()


def test_long_text_is_cut_and_says_so() -> None:
    assert shorten("x" * 500, 20) == "x" * 17 + "..."
    assert shorten("short", 20) == "short"
