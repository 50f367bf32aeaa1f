"""The package's macros rendered without dbt."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2

PACKAGE = Path(__file__).resolve().parents[2] / "dbt_project" / "packages" / "driftnet" / "macros"


@cache
def package() -> Any:
    """Return the macros as functions that give SQL."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)  # noqa: S701
    source = "\n".join(path.read_text() for path in sorted(PACKAGE.glob("*/*.sql")))
    macros = SimpleNamespace()
    environment.globals["driftnet"] = macros
    environment.globals["return"] = lambda value: value
    environment.globals["adapter"] = SimpleNamespace(
        dispatch=lambda name, namespace: getattr(macros, f"default__{name}")
    )
    module = environment.from_string(source).module
    for name in dir(module):
        if not name.startswith("_"):
            setattr(macros, name, getattr(module, name))
    return macros
