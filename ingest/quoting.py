"""SQL words made from Python values."""

import json
from collections.abc import Iterable


def text(value: str) -> str:
    """Return a SQL string literal.

    Examples
    --------
    >>> text("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def column(name: str) -> str:
    """Return a quoted SQL identifier.

    Examples
    --------
    >>> column('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def listed(values: Iterable[str]) -> str:
    """Return a SQL list of string literals, also an empty one.

    Examples
    --------
    >>> listed(["a", "b"])
    "cast(['a', 'b'] as varchar[])"
    """
    return f"cast([{', '.join(map(text, values))}] as varchar[])"


def structure(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the structure argument of DuckDB's `json_transform`, a literal of JSON.

    Examples
    --------
    >>> structure([("a", "DOUBLE")]).strip("'")
    '{"a": "DOUBLE"}'
    """
    return text(json.dumps(dict(pairs)))
