"""Make what came from data harmless to look at: no scheme that links, no host that resolves.

The text stays readable. Escaping for HTML is not done here; templates and plots do it always.
"""

import re
import unicodedata

SHORT = 80

_DOTS = "." + chr(0x3002) + chr(0xFF0E) + chr(0xFF61)  # the full stops that browsers take for one
_HTTP = re.compile(r"(?i)\b(h)(tt)(ps?:)")
_FTP = re.compile(r"(?i)\b(f)(t)(ps?:)")
_SCHEME = re.compile(r"(?i)\b(?!hxxps?:|fxps?:)([a-z][a-z0-9+.-]*):(?=\S)")
_ADDRESS = re.compile(r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b")
_HOST_DOT = re.compile(rf"(?<=[^\s\[])[{_DOTS}](?=[^\W\d_])")


def defang(text: str) -> str:
    """Return `text` with schemes, host names and hidden characters made harmless.

    Parameters
    ----------
    text : str
        Anything that was scored or came from data.

    Returns
    -------
    str
        `http` is `hxxp`, `ftp` is `fxp`, any other scheme has `[:]`, dots before a letter and the
        dots of an IPv4 address are `[.]`; control and direction characters are U+FFFD. Numbers
        such as 0.25 stay as they are. Doing it twice changes nothing.

    Examples
    --------
    >>> defang("http://login.example.com/a?b=0.5")
    'hxxp://login[.]example[.]com/a?b=0.5'
    >>> defang("JavaScript:alert(1)")
    'JavaScript[:]alert(1)'
    >>> defang("(0.25, 0.5]"), defang("192.0.2.7")
    ('(0.25, 0.5]', '192[.]0[.]2[.]7')
    """
    seen = "".join(_visible(character) for character in text)
    seen = _HTTP.sub(_crossed, seen)
    seen = _FTP.sub(_crossed, seen)
    seen = _SCHEME.sub(r"\1[:]", seen)
    seen = _ADDRESS.sub(r"\1[.]\2[.]\3[.]\4", seen)
    return _HOST_DOT.sub("[.]", seen)


def shorten(text: str, limit: int = SHORT) -> str:
    """Return `text` cut to `limit` characters, the cut shown by three dots.

    Examples
    --------
    >>> shorten("abcdef", 5)
    'ab...'
    """
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _crossed(found: re.Match[str]) -> str:
    """Replace the middle letters of a scheme by x, in their case."""
    first, middle, end = found.groups()
    return first + ("X" if middle.isupper() else "x") * len(middle) + end


def _visible(character: str) -> str:
    """Return the character, or a mark where it is one that hides or turns text."""
    return chr(0xFFFD) if unicodedata.category(character).startswith("C") else character
