"""Measure speed: `python -m tests.bench [PART ...]` writes reports/benchmarks.md."""

import sys
from pathlib import Path

from tests import measured

HEADING = """# Benchmarks

Written by `make bench` (one part: `make bench PARTS=NAME`). Times are of one machine on one day:
trust the ratios, which compare two things measured in the same run."""

if __name__ == "__main__":
    sys.exit(measured.main("tests.bench", Path("reports/benchmarks.md"), HEADING, sys.argv[1:]))
