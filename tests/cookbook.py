"""The queries of the cookbook."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "dbt_project" / "docs" / "cookbook.md"


def queries() -> dict[str, str]:
    """Return the SQL under each heading."""
    return dict(re.findall(r"## (.*?)\n.*?```sql\n(.*?)```", PAGE.read_text(), re.DOTALL))
