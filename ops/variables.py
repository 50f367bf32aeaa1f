"""The few vars of the dbt project that a step outside dbt needs, read where they are written."""

from typing import Any

import yaml

from ingest.errors import DriftnetError
from ops.settings import Settings


def number(settings: Settings, name: str) -> int:
    """Return a whole number from the ``vars:`` of dbt_project.yml.

    Raises
    ------
    DriftnetError
        Where the var is absent or no whole number.
    """
    path = settings.project_dir / "dbt_project.yml"
    read: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    value: object = read.get("vars", {}).get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DriftnetError(f"var {name} of {path.name} is {value!r}: give a whole number")
    return value
