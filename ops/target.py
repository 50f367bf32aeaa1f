"""Which model version a reader looks at, and at which window length."""

from dataclasses import dataclass

from ingest import model as models
from ingest.errors import InputError
from ops.settings import Settings


@dataclass(frozen=True)
class Target:
    """A model version at a window length."""

    model_name: str
    model_version: str
    grain: str = "week"


def choose(
    settings: Settings, name: str | None = None, version: str | None = None, grain: str = "week"
) -> Target:
    """Return what is meant: a named model or the only one, its champion or newest version.

    Raises
    ------
    InputError
        When there is no such model or version, none at all, or several to choose from.
    """
    cards = models.registered(settings.models)
    names = sorted({card.name for card in cards})
    if name is not None and name not in names:
        raise InputError(f"there is no model {name}; registered are: {', '.join(names) or 'none'}")
    if name is None:
        name = names[0] if len(names) == 1 else models.default_name(settings.models)
    versions = [card.version for card in cards if card.name == name]
    if version is not None and version not in versions:
        raise InputError(f"model {name} has no version {version}; it has {', '.join(versions)}")
    return Target(name, version or models.champion(settings.models, name) or versions[-1], grain)
