"""Keys of an API: who shows one of them may ask."""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256

from ingest.errors import InputError

SHORTEST = 16  # characters
_KEY = re.compile(r"[A-Za-z0-9._~+/=-]+")


class Keys:
    """The valid keys; only their digests are kept.

    Parameters
    ----------
    keys
        Each at least `SHORTEST` letters, digits or ``. _ ~ + / = -``; none: everyone may ask.

    Examples
    --------
    >>> keys = Keys(["correct-horse-battery"])
    >>> keys.admit("Bearer correct-horse-battery"), keys.admit("Bearer other"), keys.admit(None)
    (True, False, False)
    >>> Keys([]).admit(None)
    True
    """

    def __init__(self, keys: Sequence[str]) -> None:
        for number, key in enumerate(keys, 1):
            if len(key) < SHORTEST or not _KEY.fullmatch(key):
                raise InputError(
                    f"API key {number} cannot be used: give {SHORTEST} or more letters, digits "
                    "or . _ ~ + / = - (such as `openssl rand -hex 24` prints)"
                )
        self._digests = [sha256(key.encode()).digest() for key in keys]

    def __bool__(self) -> bool:
        """Return whether there is any key."""
        return bool(self._digests)

    def admit(self, authorization: str | None) -> bool:
        """Return whether a header ``Authorization: Bearer KEY`` holds a valid key.

        All keys are compared, each in constant time: how long it takes says nothing of them.
        """
        if not self._digests:
            return True
        scheme, _, key = (authorization or "").partition(" ")
        given = sha256(key.strip().encode("utf-8", "surrogateescape")).digest()
        found = False
        for digest in self._digests:
            found |= hmac.compare_digest(digest, given)
        return found and scheme.lower() == "bearer"
