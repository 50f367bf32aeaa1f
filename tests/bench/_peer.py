"""A peer's report of two Parquet files; runs in the peer's own environment, without our code.

`python _peer.py evidently|frouros REFERENCE CURRENT METRIC[,METRIC]`
"""

import sys

import pandas


def evidently(
    reference: "pandas.DataFrame", current: "pandas.DataFrame", metrics: list[str]
) -> int:
    """Evidently's report of every column's value drift."""
    from evidently import DataDefinition, Dataset, Report  # type: ignore[import-not-found]
    from evidently.metrics import ValueDrift  # type: ignore[import-not-found]

    words = [name for name in reference.columns if name.startswith("category")]
    numbers = [name for name in reference.columns if name.startswith("number")]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=words)
    tests = []
    for metric in metrics:
        for name in numbers + words:
            if metric == "chisquare" and name in numbers:
                continue
            tests.append(ValueDrift(column=name, method=metric))
    run = Report(tests).run(
        Dataset.from_pandas(current, data_definition=definition),
        Dataset.from_pandas(reference, data_definition=definition),
    )
    return len(run.dict()["metrics"])


def frouros(reference: "pandas.DataFrame", current: "pandas.DataFrame", metrics: list[str]) -> int:
    """Frouros' PSI (or JS, KL) of every numeric column, and of the codes of the others."""
    from frouros.detectors.data_drift import JS, KL, PSI  # type: ignore[import-not-found]

    kinds = {"psi": PSI, "jensenshannon": JS, "kl_div": KL}
    done = 0
    for name in reference.columns:
        if name == "day":
            continue
        left, right = reference[name], current[name]
        if name.startswith("category"):
            both = pandas.concat([left, right])
            codes = both.astype("category").cat.codes
            left, right = codes.iloc[: len(left)], codes.iloc[len(left) :]
        for metric in metrics:
            detector = kinds[metric]()
            detector.fit(X=left.dropna().to_numpy())
            detector.compare(X=right.dropna().to_numpy())
            done += 1
    return done


if __name__ == "__main__":
    peer, first, second, names = sys.argv[1:]
    sides = [pandas.read_parquet(path) for path in (first, second)]
    sides = [side.drop(columns="day") for side in sides]
    chosen = names.split(",")
    print((evidently if peer == "evidently" else frouros)(sides[0], sides[1], chosen))
