"""The parts of a URL, for any string: nothing is refused, nothing is looked up, nothing is opened.

What is no property of the URL itself is taken away first: white space and control characters around
it, and the marks of defanging (``hxxp``, ``[.]``, ``(.)``, ``[:]``), because feeds disagree about
them. A string without ``//`` is read as host and path (feeds list bare domains); its scheme is then
``none``, which is a value like any other, so that a feed that starts to strip schemes is seen.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from tldextract import TLDExtract

HostKind = Literal["domain", "ipv4", "ipv6", "none"]

LONGEST_HOST = 253  # characters, RFC 1035; longer ones are parsed but not remembered
AROUND = "".join(map(chr, range(33))) + "\x7f\xa0\u200b\ufeff"
"""What is taken away around a URL."""

DEFANGED = (("[.]", "."), ("(.)", "."), ("[dot]", "."), ("[:]", ":"), ("[://]", "://"))
"""Marks of defanging and what they stand for, in the order in which they are put right."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):(?=//)|(data|javascript|mailto|about|blob):")
_AUTHORITY_END = re.compile(r"[/?#\\]")
_PORT = re.compile(r":([0-9]{0,6})$")
_IPV4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|0x[0-9a-f]{1,8}|[0-9]{1,10}")
_IPV6 = re.compile(r"[0-9a-f:.]*:[0-9a-f:.%]*")


@dataclass(frozen=True, slots=True)
class Host:
    """A host and what the public suffix list says of it.

    Parameters
    ----------
    text
        Lower case, without the dot at the end; an IPv6 address without brackets.
    kind
        domain (any name), ipv4 (dotted, or one number), ipv6, or none when there is no host.
    suffix
        The public suffix (``com``, ``co.uk``); empty when the list knows none.
    domain
        The registered domain (``example.co.uk``); the host itself when there is no suffix.
    label
        The registrable label of the domain (``example``), or the host itself.
    subdomain
        What stands before the domain (``www``); may be empty.
    """

    text: str
    kind: HostKind
    suffix: str
    domain: str
    label: str
    subdomain: str


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL as text; `path`, `query` and `fragment` are not decoded."""

    text: str
    scheme: str
    host: Host
    has_userinfo: bool
    has_port: bool
    path: str
    query: str
    fragment: str


def clean(text: str) -> str:
    """Return a URL without white space around it and without the marks of defanging.

    Examples
    --------
    >>> clean(" hxxps://mail[.]example[.]com/a ")
    'https://mail.example.com/a'
    """
    text = text.strip(AROUND)
    if "[" in text or "(" in text:
        for mark, plain in DEFANGED:
            text = text.replace(mark, plain)
    if text[:4].lower() == "hxxp":
        text = "http" + text[4:]
    return text


def split(text: str) -> Url:
    """Return the parts of any string read as a URL.

    Examples
    --------
    >>> url = split("http://user@shop.example.co.uk:8080/a/b.php?x=1#top")
    >>> url.scheme, url.host.domain, url.host.subdomain, url.has_port, url.path, url.query
    ('http', 'example.co.uk', 'shop', True, '/a/b.php', 'x=1')
    >>> split("example.com/a").scheme
    'none'
    """
    text = clean(text)
    scheme, rest, authority = "none", text, ""
    match = _SCHEME.match(text)
    if match:
        scheme, rest = text[: match.end() - 1].lower(), text[match.end() :]
    if match is None or match.group(1):
        rest = rest[2:] if rest.startswith("//") else rest
        end = _AUTHORITY_END.search(rest)
        cut = end.start() if end else len(rest)
        authority, rest = rest[:cut], rest[cut:]
    rest, _, fragment = rest.partition("#")
    path, _, query = rest.partition("?")
    userinfo, _, place = authority.rpartition("@")
    port = _PORT.search(place)
    name = place[: port.start()] if port and (place[0] == "[" or place.count(":") == 1) else place
    return Url(
        text,
        scheme,
        read_host(name) if len(name) <= LONGEST_HOST else _read_host(name),
        bool(userinfo),
        len(name) < len(place),
        path,
        query,
        fragment,
    )


def _read_host(name: str) -> Host:
    host = name.strip("[]").lower().rstrip(".")
    if not host:
        return Host("", "none", "", "", "", "")
    if _IPV6.fullmatch(host):
        return Host(host, "ipv6", "", host, host, "")
    if _IPV4.fullmatch(host) and ("." not in host or max(map(int, host.split("."))) <= 255):
        return Host(host, "ipv4", "", host, host, "")
    suffix = _suffixes().extract_str(host).suffix if len(host) <= LONGEST_HOST else ""
    if not suffix or len(suffix) >= len(host):
        return Host(host, "domain", suffix, host, host, "")
    subdomain, _, label = host[: -len(suffix) - 1].rpartition(".")
    return Host(host, "domain", suffix, f"{label}.{suffix}", label, subdomain)


read_host = lru_cache(maxsize=65536)(_read_host)


@cache
def _suffixes() -> TLDExtract:
    """Return the public suffixes that come with the library: no network, no cache folder."""
    return TLDExtract(suffix_list_urls=(), cache_dir=None)
