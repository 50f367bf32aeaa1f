"""Run the soak: `python -m tests.soak` writes its sections of reports/benchmarks.md."""

import sys
from pathlib import Path

from tests import measured
from tests.bench.__main__ import HEADING

if __name__ == "__main__":
    sys.exit(measured.main("tests.soak", Path("reports/benchmarks.md"), HEADING, sys.argv[1:]))
