"""The vars of the dbt project: numbers are written once, there; Python that needs one reads it."""

from collections.abc import Mapping
from typing import Any

import yaml

from ops.settings import Settings


def variables(settings: Settings) -> Mapping[str, Any]:
    """Return the ``vars:`` of the project as they stand (an ``env_var`` stays text)."""
    text = (settings.project_dir / "dbt_project.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["vars"])
