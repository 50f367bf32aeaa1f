"""The services under a steady load, while one of their processes is killed each minute."""

from collections.abc import Callable

from tests.soak.half_hour import counted, half_hour, load, memory

TITLE = "Soak: half an hour of kills"


def run(say: Callable[[str], None]) -> str:
    """Measure, and return the section of the page."""
    seen = half_hour(say, has_kills=True)
    what = (
        f"{load(seen)} Each minute one of all processes, chosen by chance, was killed (SIGKILL):"
        f" {sum(seen.killed.values())} kills. Ctrl-C at the end: exit code {seen.code}."
    )
    return "\n\n".join([what, counted(seen), memory(seen)])
