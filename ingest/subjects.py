"""What is kept of a URL that was scored: all of it, its host, or a hash that tells it again.

Features, embedding and cluster are made from the whole URL before; they are kept as they are.
"""

import hashlib
import re
from typing import Literal, get_args

from ingest.errors import InputError

SubjectStorage = Literal["full", "host", "hash"]
LONGEST = 65_536
"""Characters that the event contract allows."""

MARK = "sha256:"
MARKED = re.compile(r"sha256:[0-9a-f]{64}")
"""What was reduced to a hash before stays as it is, whatever is to be kept."""


def subject_storage(text: str) -> SubjectStorage:
    """Return the way that a text names.

    Raises
    ------
    InputError
        It names none.
    """
    for way in get_args(SubjectStorage):
        if text == way:
            found: SubjectStorage = way
            return found
    ways = ", ".join(get_args(SubjectStorage))
    raise InputError(f"DRIFTNET_SUBJECT_STORAGE is {text!r}; give one of {ways}")


def kept(text: str, storage: SubjectStorage) -> str | None:
    """Return what an event keeps of its subject; None when nothing.

    A hash is of the text as it came: it finds an event again for who knows the URL; it hides a
    URL that can be guessed from nobody. What was reduced already stays as it is.

    Examples
    --------
    >>> kept("https://Login.Example.com/a?user=b", "host")
    'login.example.com'
    >>> kept("example.com", "hash")
    'sha256:a379a6f6eeafb9a55e378c118034e2751e682fab9f2d30ab13d2125586ce1947'
    >>> kept("", "full") is None
    True
    """
    if storage != "full" and MARKED.fullmatch(text):
        return text
    if storage == "host":
        from ingest.urls import split  # here: the settings read this module, they need no list

        text = split(text).host.text
    elif storage == "hash":
        text = MARK + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return text[:LONGEST] or None
