"""A URL as about thirty lexical features: one pure function for serving, replay and training.

Any string gives features. A value that has no meaning for a URL is None (the extension of a path
without a file, the suffix of an IP address); counts of what is not there are 0.
"""

import hashlib
import re
from collections import Counter
from functools import lru_cache
from math import log2

from ingest.card import Feature
from ingest.urls import LONGEST_HOST, Host, Url, split

Value = float | str | bool | None

FEATURES = (
    Feature("url_length", "numeric", "characters", "Length of the whole URL"),
    Feature("host_length", "numeric", "characters", "Length of the host"),
    Feature("path_length", "numeric", "characters", "Length of the path"),
    Feature("query_length", "numeric", "characters", "Length of the query"),
    Feature("path_depth", "numeric", "segments", "Non-empty segments of the path"),
    Feature("subdomain_depth", "numeric", "labels", "Labels before the registered domain"),
    Feature("parameter_count", "numeric", "parameters", "Parameters of the query"),
    Feature("escape_count", "numeric", "characters", "Percent signs"),
    Feature("host_hyphen_count", "numeric", "characters", "Hyphens in the host"),
    Feature("path_hyphen_count", "numeric", "characters", "Hyphens in the path"),
    Feature("suspicious_word_count", "numeric", "words", "Words such as login, verify, account"),
    Feature("brand_word_count", "numeric", "words", "Well-known brands outside their own domain"),
    Feature("digit_share", "numeric", "share", "Digits among the characters of the URL"),
    Feature("host_digit_share", "numeric", "share", "Digits among the characters of the host"),
    Feature("special_share", "numeric", "share", "Neither letter nor digit, in the whole URL"),
    Feature("host_vowel_share", "numeric", "share", "Vowels among the letters of the host"),
    Feature("host_entropy", "numeric", "bits", "Shannon entropy of the host's characters"),
    Feature("path_entropy", "numeric", "bits", "Shannon entropy of the path's characters"),
    Feature("longest_label_length", "numeric", "characters", "Longest label of the host"),
    Feature("domain_label_length", "numeric", "characters", "Registrable label of the domain"),
    Feature("longest_digit_run", "numeric", "characters", "Longest run of digits in the URL"),
    Feature("longest_consonant_run", "numeric", "characters", "Longest run of consonants in host"),
    Feature("has_www", "boolean", "", "The host begins with www."),
    Feature("has_punycode", "boolean", "", "The host has a punycode or non-ASCII label"),
    Feature("has_port", "boolean", "", "A port is given"),
    Feature("has_userinfo", "boolean", "", "Something stands before an @ in the authority"),
    Feature("has_embedded_url", "boolean", "", "Another URL stands in path, query or fragment"),
    Feature("scheme", "categorical", "", "The scheme in lower case; none when there is none"),
    Feature("public_suffix", "categorical", "", "Public suffix of the host, such as com or co.uk"),
    Feature("host_kind", "categorical", "", "domain, ipv4, ipv6 or none"),
    Feature("file_extension", "categorical", "", "Extension of the path's last segment"),
)

_WORDS = re.compile(
    "account|admin|alert|auth|bank|billing|bonus|card|cash|claim|client|confirm|customer|ebayisapi"
    "|gift|help|limited|lock|login|mail|member|office|online|password|pay|portal|prize|recover"
    "|secure|security|service|signin|sign-in|support|suspend|ticket|token|unlock|update|user"
    "|validat|verif|wallet|webscr"
)
_BRANDS = re.compile(
    "adobe|aeon|airbnb|allegro|amazon|amex|apple|binance|chase|coinbase|dhl|docomo|docusign|dropbox"
    "|ebay|facebook|fedex|google|icloud|instagram|jcb|linkedin|mercari|metamask|microsoft"
    "|mufg|netflix|outlook|paypal|rakuten|santander|saison|smbc|sparkasse|steam|telegram|usps"
    "|vpass|wellsfargo|whatsapp|yahoo"
)
_EXTENSION = re.compile(r"\.([a-z0-9]{1,6})$")
_DIGITS = re.compile("[0-9]+")
_CONSONANTS = re.compile("[bcdfghjklmnpqrstvwxz]+")
_NOT_PLAIN = re.compile("[^A-Za-z0-9]")


def extract(url: str | None) -> dict[str, Value]:
    """Return the features of a URL, by name, in the order of `FEATURES`.

    Parameters
    ----------
    url
        Any string; None is taken as the empty string.

    Examples
    --------
    >>> features = extract("https://login.example.co.uk/account/verify.php?id=1")
    >>> features["public_suffix"], features["path_depth"], features["file_extension"]
    ('co.uk', 2.0, 'php')
    """
    return features_of(split(url or ""))


def registered_domain(url: str | None) -> str:
    """Return the registered domain of a URL; the host where the suffix list knows none.

    Examples
    --------
    >>> registered_domain("https://a.b.example.co.uk/x")
    'example.co.uk'
    """
    return split(url or "").host.domain


def cluster_of(domain: str) -> str:
    """Return the cluster of a registered domain: 16 hex digits of its sha256.

    Examples
    --------
    >>> cluster_of("example.com")
    'a379a6f6eeafb9a5'
    """
    return hashlib.sha256(domain.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def features_of(url: Url) -> dict[str, Value]:
    """Return the features of a URL that is split already."""
    text, path, query, host = url.text, url.path, url.query, url.host
    lower = text.lower()
    known = _of_host(host) if len(host.text) <= LONGEST_HOST else _host_numbers(host)
    length = len(text) or 1
    digits = _DIGITS.findall(text)
    extension = _EXTENSION.search(path[path.rfind("/") + 1 :][-8:].lower())
    brands = len(_BRANDS.findall(lower))
    if brands and _BRANDS.fullmatch(host.label):
        brands -= 1
    return {
        "url_length": float(len(text)),
        "host_length": float(len(host.text)),
        "path_length": float(len(path)),
        "query_length": float(len(query)),
        "path_depth": float(sum(map(bool, path.split("/")))),
        "subdomain_depth": known["subdomain_depth"],
        "parameter_count": float(query.count("&") + 1 if query else 0),
        "escape_count": float(text.count("%")),
        "host_hyphen_count": known["host_hyphen_count"],
        "path_hyphen_count": float(path.count("-")),
        "suspicious_word_count": float(len(_WORDS.findall(lower))),
        "brand_word_count": float(brands),
        "digit_share": sum(map(len, digits)) / length,
        "host_digit_share": known["host_digit_share"],
        "special_share": len(_NOT_PLAIN.findall(text)) / length,
        "host_vowel_share": known["host_vowel_share"],
        "host_entropy": known["host_entropy"],
        "path_entropy": entropy(path),
        "longest_label_length": known["longest_label_length"],
        "domain_label_length": known["domain_label_length"],
        "longest_digit_run": float(max(map(len, digits), default=0)),
        "longest_consonant_run": known["longest_consonant_run"],
        "has_www": known["has_www"],
        "has_punycode": known["has_punycode"],
        "has_port": url.has_port,
        "has_userinfo": url.has_userinfo,
        "has_embedded_url": "//" in path or "://" in query or "://" in url.fragment,
        "scheme": url.scheme,
        "public_suffix": host.suffix or None,
        "host_kind": host.kind,
        "file_extension": extension.group(1) if extension else None,
    }


def entropy(text: str) -> float:
    """Return the Shannon entropy of the characters of a text, in bits.

    Examples
    --------
    >>> entropy("abab"), entropy("")
    (1.0, 0.0)
    """
    total = len(text)
    if total < 2:
        return 0.0
    counts = Counter(text).values()
    return max(0.0, log2(total) - sum(n * log2(n) for n in counts) / total)


def _host_numbers(host: Host) -> dict[str, Value]:
    text = host.text
    letters = sum(map(str.isalpha, text))
    digits = sum(map(len, _DIGITS.findall(text)))
    return {
        "subdomain_depth": float(host.subdomain.count(".") + 1 if host.subdomain else 0),
        "host_hyphen_count": float(text.count("-")),
        "host_digit_share": digits / (len(text) or 1),
        "host_vowel_share": sum(map(text.count, "aeiouy")) / letters if letters else None,
        "host_entropy": entropy(text),
        "longest_label_length": float(max(map(len, text.split(".")))),
        "domain_label_length": float(len(host.label)),
        "longest_consonant_run": float(max(map(len, _CONSONANTS.findall(text)), default=0)),
        "has_www": text.startswith("www."),
        "has_punycode": "xn--" in text or not text.isascii(),
    }


_of_host = lru_cache(maxsize=65536)(_host_numbers)
