"""The SQL that says what is kept of a subject, as `ingest.subjects.kept` says it in Python.

A producer that is not ours may send the whole of what it scored. Where less is to be kept, landing
takes the rest away before anything is written, in the engine; a test holds the two to one answer.
"""

from typing import Final

from ingest.quoting import text
from ingest.subjects import LONGEST, MARK, MARKED, SubjectStorage
from ingest.urls import AROUND, DEFANGED

#: What `ingest.urls` cuts away to find the host, in its order: pattern, what stays.
_CUTS: Final = (
    (r"^[Hh][Xx][Xx][Pp]", "http"),
    (r"^[A-Za-z][A-Za-z0-9+.-]{0,30}://", "//"),
    (r"(?s)^(data|javascript|mailto|about|blob):.*", ""),
    (r"(?s)^(?://)?([^/?#\\]*).*", r"\1"),  # the authority
    (r"(?s)^.*@", ""),
    (r"(?s)^([^:]*|\[.*):[0-9]{0,6}\n?$", r"\1"),  # the port
)


def kept_sql(value: str, storage: SubjectStorage) -> str:
    """Return the expression of what is kept of a subject.

    Parameters
    ----------
    value
        An expression of the subject, VARCHAR.
    storage
        See `ingest.subjects`.
    """
    if storage == "full":
        return value
    reduced = _host(value) if storage == "host" else f"{text(MARK)} || sha256({value})"
    return (
        f"case when regexp_full_match({value}, {text(MARKED.pattern)}) then {value}"
        f" else nullif(left({reduced}, {LONGEST}), '') end"
    )


def kept_bytes_sql(value: str, storage: SubjectStorage) -> str:
    """Return the expression of what is kept of a bad message: its bytes, or their hash and number.

    Parameters
    ----------
    value
        An expression of the bytes, BLOB.
    storage
        See `ingest.subjects`.
    """
    if storage == "full":
        return value
    return f"encode({text(MARK)} || sha256({value}) || ', ' || octet_length({value}) || ' bytes')"


def _host(value: str) -> str:
    found = f"trim({value}, {' || '.join(f'chr({ord(sign)})' for sign in AROUND)})"
    for mark, plain in DEFANGED:
        found = f"replace({found}, {text(mark)}, {text(plain)})"
    for pattern, stays in _CUTS:
        found = f"regexp_replace({found}, {text(pattern)}, {text(stays)})"
    return f"rtrim(lower(trim({found}, '[]')), '.')"
