"""Try the statistics: `python -m tests.study [PART ...]` writes reports/study.md."""

import sys
from pathlib import Path

from tests import measured

HEADING = """# Study

Written by `make study` (one part: `make study PARTS=NAME`): long seeded trials of what the
statistics promise."""

if __name__ == "__main__":
    sys.exit(measured.main("tests.study", Path("reports/study.md"), HEADING, sys.argv[1:]))
