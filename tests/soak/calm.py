"""The services under the same load without a kill: what lives long must not grow either."""

from collections.abc import Callable

from tests.soak.half_hour import counted, half_hour, load, memory

TITLE = "Soak: half an hour undisturbed"


def run(say: Callable[[str], None]) -> str:
    """Measure, and return the section of the page."""
    seen = half_hour(say, has_kills=False)
    what = f"{load(seen)} Nothing was killed. Ctrl-C at the end: exit code {seen.code}."
    return "\n\n".join([what, counted(seen), memory(seen)])
