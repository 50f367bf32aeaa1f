"""How long work tells that it moves: a callable that is given the number of items just done."""

from collections.abc import Callable

Advance = Callable[[int], object]


def ignore(count: int) -> None:
    """Tell no one (the default)."""
