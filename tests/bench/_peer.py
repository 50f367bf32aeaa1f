"""A peer's report of two Parquet files; runs in the peer's own environment, without our code.

`python _peer.py evidently|frouros REFERENCE CURRENT METRIC[,METRIC] whole|daily`
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


def frouros(
    reference: "pandas.DataFrame",
    current: "pandas.DataFrame",
    metrics: list[str],
    days: "pandas.Series[int] | None",
) -> int:
    """Frouros' distances of every column (of the codes of words), its test of the words.

    With days each day of the current rows is compared too: a detector is fitted once a column.
    """
    from frouros.detectors import data_drift  # type: ignore[import-not-found]

    kinds = {
        "psi": data_drift.PSI,
        "jensenshannon": data_drift.JS,
        "kl_div": data_drift.KL,
        "hellinger": data_drift.HellingerDistance,
        "chisquare": data_drift.ChiSquareTest,
    }
    done = 0
    for name in reference.columns:
        is_word = name.startswith("category")
        left, right = reference[name], current[name]
        if is_word:
            both = pandas.concat([left, right])
            codes = both.astype("category").cat.codes
            left, right = codes.iloc[: len(left)], codes.iloc[len(left) :]
        windows = [right.dropna().to_numpy()]
        if days is not None:
            windows += [day.dropna().to_numpy() for _, day in right.groupby(days.to_numpy())]
        for metric in metrics:
            if metric == "chisquare" and not is_word:
                continue
            detector = kinds[metric]()
            detector.fit(X=left.dropna().to_numpy())
            for window in windows:
                detector.compare(X=window)
                done += 1
    return done


if __name__ == "__main__":
    peer, first, second, names, windows = sys.argv[1:]
    sides = [pandas.read_parquet(path) for path in (first, second)]
    when = sides[1]["day"] if windows == "daily" else None
    sides = [side.drop(columns="day") for side in sides]
    chosen = names.split(",")
    if peer == "evidently":
        print(evidently(sides[0], sides[1], chosen))
    else:
        print(frouros(sides[0], sides[1], chosen, when))
