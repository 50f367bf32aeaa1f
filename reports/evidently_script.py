"""Evidently's drift report of two Parquet files; runs in Evidently's own environment.

`python -P evidently_script.py REFERENCE CURRENT PAGE`. Nothing of Driftnet is imported: Evidently
needs an older pandas than ours.
"""

import sys


def main(reference_file: str, current_file: str, page: str) -> None:
    """Write the page that compares the current rows with those of the reference."""
    import pandas
    from evidently import DataDefinition, Dataset, Report  # type: ignore[import-not-found]
    from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]

    reference, current = pandas.read_parquet(reference_file), pandas.read_parquet(current_file)
    # Evidently fails on a column that has no value at all.
    empty = [name for name in current if current[name].isna().all() or reference[name].isna().all()]
    reference, current = reference.drop(columns=empty), current.drop(columns=empty)
    words = [name for name in current if not pandas.api.types.is_float_dtype(current[name])]
    numbers = [name for name in current if name not in words]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=words)
    report = Report([DataDriftPreset()])
    report.run(
        Dataset.from_pandas(current, data_definition=definition),
        Dataset.from_pandas(reference, data_definition=definition),
    ).save_html(page)


if __name__ == "__main__":
    main(*sys.argv[1:])
