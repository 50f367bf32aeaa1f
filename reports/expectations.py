"""One Great Expectations checkpoint for one suite of metric rows.

The rows of a window become one row of a wide frame, a column for each feature and metric; each
column has one expectation, whose bound is the row's own. What is over a bound is a failure that
Great Expectations finds; nothing here compares a value with a bound.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from ingest.errors import DriftnetError
from reports.notes import column_name, notes, sentence
from reports.rows import MetricRow

CRITICAL, WARNING, INFO = "critical", "warning", "info"


@dataclass(frozen=True)
class Result:
    """What Great Expectations found for one row: success, and what a failure would mean."""

    row: MetricRow
    is_deciding: bool
    is_success: bool
    failure: str


class Checkpoints:
    """An ephemeral context of Great Expectations whose data docs are written to a folder."""

    def __init__(self, library: Any, frames: Any, context: Any, clock: Callable[[], datetime]):
        self._library = library
        self._frames = frames
        self._context = context
        self._clock = clock
        self._source = context.data_sources.add_pandas("marts")

    def run(self, suite: str, rows: Sequence[MetricRow], deciding: Sequence[bool]) -> list[Result]:
        """Run the checkpoint of one suite; one result for each row, in the order of the rows."""
        columns = [column_name(row) for row in rows]
        frame = self._frames.DataFrame(
            {name: [_number(row)] for name, row in zip(columns, rows, strict=True)}, dtype=float
        )
        expectations = [
            self._expectation(name, row, decides)
            for name, row, decides in zip(columns, rows, deciding, strict=True)
        ]
        checkpoint = self._checkpoint(suite, expectations)
        identity = self._library.RunIdentifier(run_name=suite, run_time=self._clock())
        with _quiet():
            answer = checkpoint.run(batch_parameters={"dataframe": frame}, run_id=identity)
        found = _by_column(next(iter(answer.run_results.values())).results)
        return [
            Result(row, decides, found[name], failure_of(row, decides))
            for name, row, decides in zip(columns, rows, deciding, strict=True)
        ]

    def write_docs(self) -> None:
        """Write the static site of every checkpoint that has run."""
        with _quiet():
            self._context.build_data_docs()

    def _expectation(self, column: str, row: MetricRow, decides: bool) -> Any:
        kinds = self._library.expectations
        said = {
            "description": sentence(row),
            "meta": {"notes": {"format": "string", "content": list(notes(row, decides))}},
            "severity": failure_of(row, decides),
        }
        if _number(row) is None:
            return kinds.ExpectColumnValuesToBeNull(column=column, **said)
        if row.is_higher_better:
            return kinds.ExpectColumnMinToBeBetween(column=column, min_value=bound_of(row), **said)
        return kinds.ExpectColumnMaxToBeBetween(column=column, max_value=bound_of(row), **said)

    def _checkpoint(self, suite: str, expectations: Sequence[Any]) -> Any:
        asset = self._source.add_dataframe_asset(suite)
        batch = asset.add_batch_definition_whole_dataframe("window")
        made = self._context.suites.add(
            self._library.ExpectationSuite(name=suite, expectations=list(expectations))
        )
        definition = self._context.validation_definitions.add(
            self._library.ValidationDefinition(name=suite, data=batch, suite=made)
        )
        return self._context.checkpoints.add(
            self._library.Checkpoint(
                name=suite, validation_definitions=[definition], result_format="BASIC"
            )
        )


def open_checkpoints(site: Path, clock: Callable[[], datetime]) -> Checkpoints:
    """Open a context that keeps nothing but the data docs that it writes to `site`.

    Usage telemetry and progress bars are off; nothing is read from or written to the network.

    Raises
    ------
    DriftnetError
        Where Great Expectations is not installed.
    """
    with _quiet():
        # Imported here, not above: the import alone takes 2 to 6 s, which only the gate should pay.
        try:
            import great_expectations
            import great_expectations.expectations
            import pandas
            from great_expectations.data_context.types.base import (
                DataContextConfig,
                InMemoryStoreBackendDefaults,
            )
        except ImportError as error:
            raise DriftnetError(
                "the gate needs Great Expectations: pip install 'driftnet[gate]'"
            ) from error
        config = DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            data_docs_sites={"gate": _site(site)},
            analytics_enabled=False,
            progress_bars={"globally": False},
        )
        context = great_expectations.get_context(mode="ephemeral", project_config=config)
        return Checkpoints(great_expectations, pandas, context, clock)


def bound_of(row: MetricRow) -> float | None:
    """Return the row's bound that the expectation asserts, None where none applies.

    It is the bound for failing, or that for warning where there is no other; a value that chance
    explains (the row is not significant) may be anything.
    """
    if not (row.is_significant or row.is_breach):
        return None
    return row.warn_bound if row.fail_bound is None else row.fail_bound


def failure_of(row: MetricRow, decides: bool) -> str:
    """Return what a failure of the row's expectation would mean, in Great Expectations' words."""
    if not decides:
        return INFO
    return WARNING if row.fail_bound is None else CRITICAL


def expected_failure(row: MetricRow) -> bool:
    """Return whether the row's own severity says that its expectation must fail."""
    only_warns = row.fail_bound is None and row.warn_bound is not None
    return row.severity >= (1 if only_warns else 2)


def _by_column(results: Sequence[Any]) -> Mapping[str, bool]:
    return {found.expectation_config.kwargs["column"]: bool(found.success) for found in results}


def _number(row: MetricRow) -> float | None:
    value = row.metric_value
    return value if value is not None and isfinite(value) else None


def _site(folder: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(folder),
        },
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's own warnings (deprecated modules) from its users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
