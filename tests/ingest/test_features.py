import time
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.features import FEATURES, cluster_of, entropy, extract, registered_domain
from ingest.urls import clean, split

HOSTILE = [
    "",
    " ",
    "http://[",
    "http://[::1",
    "http://]",
    "://",
    "//",
    "http://",
    "http:",
    "@",
    ":",
    "?",
    "#",
    "http://@:/",
    "%",
    "%zz%%%",
    "http://a:b:c@d:e:f/",
    "http://example.com:99999999/",
    "\x00\x01\x02",
    "http://exa\nmple.com/\r\n",
    "\ud800",
    "http://\udfff.com/\ud800",
    "xn--",
    "http://xn--a-\ud800.com",
    "http://....",
    "http://.com",
    "http://com",
    "http://\u0130.com/",
    "javascript:alert(1)",
    "data:text/html,<b>",
    "\u202ehttp://moc.elpmaxe",
    "http://\uff45xample\u3002com/",
]
URLS = st.one_of(
    st.text(st.characters(codec=None), max_size=200),
    st.sampled_from(HOSTILE),
    st.from_regex(r"(https?|hxxp)://[a-z0-9.\[\]:@-]{0,40}(/[ -~]{0,40})?", fullmatch=True),
)


@given(URLS)
def test_any_string_gives_every_feature_in_its_kind(url: str) -> None:
    found = extract(url)
    assert list(found) == [feature.name for feature in FEATURES]
    for feature in FEATURES:
        value = found[feature.name]
        if feature.kind == "numeric":
            assert value is None or (type(value) is float and isfinite(value) and value >= 0)
            if feature.unit == "share" and value is not None:
                assert value <= 1
        elif feature.kind == "boolean":
            assert type(value) is bool
        else:
            assert value is None or isinstance(value, str)
            str(value).encode("utf-8")


@given(URLS)
def test_the_same_string_gives_the_same_features_and_domain(url: str) -> None:
    assert extract(url) == extract(url)
    assert registered_domain(url) == registered_domain(url)
    assert len(cluster_of(registered_domain(url))) == 16


@given(URLS, st.sampled_from([" ", "\n", "\t", "\ufeff", "\x00 "]))
def test_white_space_around_a_url_changes_nothing(url: str, space: str) -> None:
    assert extract(space + url + space) == extract(url)


@pytest.mark.parametrize("part", ["a", "http://[", "a.", "%", "1a", "//", ":", "@", "\ud800"])
def test_a_megabyte_gives_features_within_seconds(part: str) -> None:
    begun = time.perf_counter()
    assert extract(part * (1_000_000 // len(part)))["url_length"] is not None
    assert time.perf_counter() - begun < 5


def test_nothing_is_taken_as_the_empty_string() -> None:
    assert extract(None) == extract("")
    assert extract("")["host_kind"] == "none"
    assert extract("")["public_suffix"] is None


def test_the_features_of_a_url_can_be_counted_by_hand() -> None:
    found = extract("http://www.pay-pal.example.co.uk:8080/a/log%20in.PHP?x=1&y=22#z")
    expected = {
        "url_length": 63.0,
        "host_length": 25.0,
        "path_length": 15.0,
        "query_length": 8.0,
        "path_depth": 2.0,
        "subdomain_depth": 2.0,
        "parameter_count": 2.0,
        "escape_count": 1.0,
        "host_hyphen_count": 1.0,
        "domain_label_length": 7.0,
        "longest_label_length": 7.0,
        "longest_digit_run": 4.0,
        "has_www": True,
        "has_port": True,
        "has_punycode": False,
        "has_userinfo": False,
        "has_embedded_url": False,
        "scheme": "http",
        "public_suffix": "co.uk",
        "host_kind": "domain",
        "file_extension": "php",
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("url", "name", "value"),
    [
        ("http://192.0.2.7/x", "host_kind", "ipv4"),
        ("http://3221225991/x", "host_kind", "ipv4"),
        ("http://0xc0000207/x", "host_kind", "ipv4"),
        ("http://192.0.2.777/x", "host_kind", "domain"),
        ("http://[2001:db8::1]:80/", "host_kind", "ipv6"),
        ("http://[2001:db8::1]:80/", "has_port", True),
        ("http://[2001:db8::1]/", "has_port", False),
        ("mailto:someone@example.com", "scheme", "mailto"),
        ("mailto:someone@example.com", "host_kind", "none"),
        ("example.com/path", "scheme", "none"),
        ("example.com:8080/path", "has_port", True),
        ("//example.com/path", "public_suffix", "com"),
        ("HTTPS://EXAMPLE.COM", "scheme", "https"),
        ("https://example.com./", "public_suffix", "com"),
        ("https://xn--bcher-kva.example", "has_punycode", True),
        ("https://b\u00fccher.de", "has_punycode", True),
        ("https://example.com@evil.test/", "has_userinfo", True),
        ("https://localhost/", "public_suffix", None),
        ("https://example.com\\evil", "path_length", 5.0),
        ("https://a.com/?next=https://b.com", "has_embedded_url", True),
        ("https://a.com/r/https://b.com", "has_embedded_url", True),
        ("https://a.com/archive.tar.gz", "file_extension", "gz"),
        ("https://a.com/", "file_extension", None),
        ("https://paypal.com/", "brand_word_count", 0.0),
        ("https://paypal.evil.test/amazon", "brand_word_count", 2.0),
        ("https://evil.test/verify-account/login", "suspicious_word_count", 3.0),
        ("http://192.0.2.7/", "host_vowel_share", None),
        ("https://bcdfg.test/", "longest_consonant_run", 5.0),
    ],
)
def test_a_shape_shows_in_its_feature(url: str, name: str, value: object) -> None:
    assert extract(url)[name] == value


@pytest.mark.parametrize(
    "url",
    [
        "hxxps://mail[.]example[.]com/a",
        "hxxps[:]//mail.example.com/a",
        "https[://]mail(.)example[dot]com/a",
        "  https://mail.example.com/a\n",
    ],
)
def test_defanged_urls_read_as_what_they_were(url: str) -> None:
    assert clean(url) == "https://mail.example.com/a"


def test_a_scheme_that_is_lost_moves_only_what_counts_it() -> None:
    whole, bare = extract("https://a.example.com/b/c?d=1"), extract("a.example.com/b/c?d=1")
    moved = {name for name in whole if whole[name] != bare[name]}
    assert moved == {"url_length", "scheme", "digit_share", "special_share"}


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://a.b.example.co.uk/x", "example.co.uk"),
        ("https://example.co.uk", "example.co.uk"),
        ("https://co.uk", "co.uk"),
        ("http://192.0.2.7:80/", "192.0.2.7"),
        ("someone.blogspot.com", "blogspot.com"),
        ("http://router/", "router"),
        ("", ""),
    ],
)
def test_the_registered_domain_is_the_public_suffix_and_one_label(url: str, domain: str) -> None:
    assert registered_domain(url) == domain


def test_rows_of_one_domain_share_a_cluster_and_others_do_not() -> None:
    one, two = registered_domain("a.example.com/1"), registered_domain("http://b.example.com")
    assert cluster_of(one) == cluster_of(two) != cluster_of("example.org")


@given(st.text(max_size=50))
def test_entropy_lies_between_none_and_that_of_all_different(text: str) -> None:
    assert 0 <= entropy(text) <= max(0.0, len(text).bit_length())
    assert entropy(text) == pytest.approx(entropy(text[::-1]))


def test_the_feature_list_names_each_feature_once_and_explains_it() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES) == 31
    assert all(feature.description for feature in FEATURES)
    assert all(feature.unit for feature in FEATURES if feature.kind == "numeric")


def test_userinfo_port_and_fragment_are_no_part_of_host_or_path() -> None:
    url = split("http://me:secret@example.com:81/p?q#f")
    assert (url.host.text, url.path, url.query, url.fragment) == ("example.com", "/p", "q", "f")
