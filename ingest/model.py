"""Models at rest: ``models/<name>/<version>/``, and the champion of each name.

A folder holds the card, the feature list, the reference rows and, of a model that was trained here,
the estimator (skops: reading it executes nothing) and the arrays of its embedding. A model of kind
*external* was imported for its reference alone: it has no artefact, so nothing can serve it.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.card import (
    Card,
    Feature,
    card_from_json,
    card_to_json,
    check_features,
    features_from_json,
    features_to_json,
)
from ingest.errors import DriftnetError, InputError
from ingest.estimator_file import dump, read
from ingest.reference import shape_reference, span
from ingest.sealed import replace_text, seal, unseal

__all__ = [
    "Card",
    "Feature",
    "Model",
    "champion",
    "default_name",
    "describe",
    "load",
    "next_version",
    "promote",
    "registered",
    "registered_features",
    "save",
    "verify",
]

CHAMPION = "champion"
WRITTEN = ("card.json", "features.json", "reference.parquet")
ARTEFACT = ("model.skops", "embedding.npz")

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Model:
    """A trained model, read and checked.

    Parameters
    ----------
    folder, card, features
        Where it stands, and what is written about it.
    estimator
        The fitted scikit-learn estimator.
    embedding
        The arrays of its embedding; empty when it has none.
    """

    folder: Path
    card: Card
    features: tuple[Feature, ...]
    estimator: Any
    embedding: Arrays


def save(
    models: Path,
    card: Card,
    features: Sequence[Feature],
    reference: pa.Table,
    estimator: Any = None,
    embedding: Arrays | None = None,
    page: Callable[[Card], str] | None = None,
) -> Card:
    """Write a model folder; it becomes visible whole or not at all.

    Parameters
    ----------
    models, card
        The folder of all models; name and version say where in it. The reference's span and row
        count are filled in from the rows.
    features
        The feature list, in the order in which the estimator takes them.
    reference
        The rows for ``reference.parquet``, see `ingest.reference.shape_reference`.
    estimator, embedding
        Fitted, of types that skops can write (None for kind external); arrays by name (no objects).
    page
        Makes ``card.md``, for people.

    Returns
    -------
    Card
        The card as written.

    Raises
    ------
    InputError
        The version exists; something does not fit; an artefact is missing or too much.
    """
    check_features(features)
    if (estimator is None) != (card.kind == "external"):
        raise InputError(f"model {card.name}: kind trained has an estimator, kind external none")
    rows = shape_reference(reference, card, features)
    first, last = span(rows)
    card = dataclasses.replace(
        card, reference_from=first, reference_until=last, reference_row_count=rows.num_rows
    )
    files = {
        "card.json": lambda path: path.write_text(card_to_json(card), encoding="utf-8"),
        "features.json": lambda path: path.write_text(features_to_json(features), encoding="utf-8"),
        "reference.parquet": lambda path: pq.write_table(rows, path, compression="zstd"),
    }
    if estimator is not None:
        blob = dump(estimator, f"{card.name}/{card.version}")
        arrays = dict(embedding or {})
        files["model.skops"] = lambda path: path.write_bytes(blob)
        files["embedding.npz"] = lambda path: np.savez(path, allow_pickle=False, **arrays)
    if page is not None:
        files["card.md"] = lambda path: path.write_text(page(card), encoding="utf-8")
    seal(models / card.name / card.version, files)
    return card


def load(models: Path, name: str, version: str | None = None) -> Model:
    """Read a trained model: the champion, or the named version.

    Raises
    ------
    InputError
        No such model or version; no champion; kind external.
    DriftnetError
        The folder is not whole, was changed, or holds a type that is not allowed.
    """
    version = version or champion(models, name)
    if version is None:
        raise InputError(f"model {name} has no champion: train one (retrain --initial) or promote")
    card, features = describe(models, name, version)
    if card.kind == "external":
        raise InputError(
            f"model {name} version {version} is external: it has only a reference, no artefact; "
            "name a model that was trained here"
        )
    folder = models / name / version
    unseal(folder, WRITTEN + ARTEFACT)
    estimator = read((folder / "model.skops").read_bytes(), f"{name}/{version}")
    with np.load(folder / "embedding.npz", allow_pickle=False) as arrays:
        embedding = {key: arrays[key] for key in arrays.files}
    return Model(folder, card, features, estimator, embedding)


def describe(models: Path, name: str, version: str) -> tuple[Card, tuple[Feature, ...]]:
    """Return card and features of a version of any kind; only these two files are checked."""
    folder = models / name / version
    if not folder.is_dir():
        raise InputError(f"there is no model {name} version {version}: see `driftnet models`")
    unseal(folder, WRITTEN, only=("card.json", "features.json"))
    card = card_from_json((folder / "card.json").read_text(encoding="utf-8"))
    if (card.name, card.version) != (name, version):
        raise DriftnetError(
            f"{name}/{version} holds the card of {card.name}/{card.version}: "
            "give the folder its name back"
        )
    return card, features_from_json((folder / "features.json").read_text(encoding="utf-8"))


def verify(models: Path, name: str, version: str) -> None:
    """Check every file of a version against its checksum."""
    card, _ = describe(models, name, version)
    unseal(models / name / version, WRITTEN + (ARTEFACT if card.kind == "trained" else ()))


def champion(models: Path, name: str) -> str | None:
    """Return the version that serves under a name; None when none was promoted."""
    try:
        return (models / name / CHAMPION).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def promote(models: Path, name: str, version: str) -> None:
    """Make a trained version the champion of its name, at once for every reader.

    Raises
    ------
    InputError
        No such version, or it is external.
    DriftnetError
        The folder is not whole or was changed.
    """
    card, _ = describe(models, name, version)
    if card.kind == "external":
        raise InputError(f"model {name} version {version} is external: it cannot serve")
    verify(models, name, version)
    replace_text(models / name / CHAMPION, version + "\n")


def registered(models: Path) -> list[Card]:
    """Return the cards of all versions of all models, by name, then age."""
    found = [
        describe(models, version.parent.name, version.name)[0]
        for version in sorted(models.glob("[!.]*/[!.]*"))
        if version.is_dir()
    ]
    return sorted(found, key=lambda card: (card.name, card.created_at, card.version))


def registered_features(models: Path) -> list[Feature]:
    """Return the features of all models, by name; a name of two kinds is left out."""
    kinds: dict[str, set[str]] = {}
    features: dict[str, Feature] = {}
    for card in registered(models):
        for feature in describe(models, card.name, card.version)[1]:
            kinds.setdefault(feature.name, set()).add(feature.kind)
            features[feature.name] = feature
    return [features[name] for name in sorted(features) if len(kinds[name]) == 1]


def next_version(models: Path, name: str) -> str:
    """Return the next whole number that is no version yet, from '1' on."""
    taken = [path.name for path in (models / name).glob("[!.]*") if path.is_dir()]
    return str(1 + max((int(text) for text in taken if text.isdecimal()), default=0))


def default_name(models: Path) -> str:
    """Return the only model that can serve.

    Raises
    ------
    InputError
        There is none, or there are several to choose from.
    """
    names = sorted({path.parent.name for path in models.glob(f"[!.]*/{CHAMPION}")})
    if not names:
        raise InputError("no model can serve yet: train one with `driftnet retrain --initial`")
    if len(names) > 1:
        raise InputError(f"several models can serve ({', '.join(names)}): name one with --model")
    return names[0]
