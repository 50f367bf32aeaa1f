"""Recipes by name: what a home trains stands in a module of its own and is named as module:name."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

from ingest import model as models
from ingest.errors import InputError
from retrain.estimator import Recipe

SHIPPED = "retrain.train:RECIPE"


def named(name: str) -> Recipe:
    """Return a recipe; it knows its name from then on, and so do the cards of what it makes.

    Parameters
    ----------
    name
        As ``module:NAME``, the module dotted and importable (installed, or on PYTHONPATH).

    Raises
    ------
    InputError
        There is no such module or name in it, or it is no `retrain.estimator.Recipe`.

    Examples
    --------
    >>> named("retrain.train:RECIPE").weighted_step
    'judge'
    """
    module, mark, attribute = name.partition(":")
    if not (module and mark and attribute):
        raise InputError(f"recipe {name!r}: write it as module:NAME, such as {SHIPPED}")
    try:
        found = getattr(import_module(module), attribute, None)
    except ImportError as error:
        raise InputError(
            f"recipe {name} cannot be loaded ({error}): install its module or put its folder on"
            " PYTHONPATH, or name another one with --recipe"
        ) from error
    if not isinstance(found, Recipe):
        raise InputError(f"{module} has no recipe {attribute}: make it a retrain.estimator.Recipe")
    return replace(found, path=name)


def of_champion(folder: Path, model_name: str, name: str | None = None) -> Recipe:
    """Return the named recipe, or that which the champion of a model was made by.

    Raises
    ------
    InputError
        No champion; as `named`.
    """
    serving = models.champion(folder, model_name)
    if name is None and serving is not None:
        name = models.describe(folder, model_name, serving)[0].recipe
    return named(name or SHIPPED)
