"""The templates of the page and of the data docs' first page, and the one way to fill them."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reports import figures
from reports.defang import defang, shorten

FOLDER = Path(__file__).parent / "templates"


def render_template(name: str, **values: object) -> str:
    """Fill a template; every text that is filled in is defanged and escaped."""
    return _environment().get_template(name).render(**values).lstrip()


@cache
def style(name: str) -> Markup:
    """Return a style sheet that ships with the templates."""
    return Markup((FOLDER / name).read_text("utf-8"))  # noqa: S704 (our own file)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters |= {
        "figure": figures.figure,
        "percent": figures.percent,
        "probability": figures.probability,
        "short": shorten,
        "plain": escape,
    }
    environment.globals |= {
        "style": style,
        "day": figures.day,
        "window": figures.window,
        "count": figures.count,
    }
    return environment


def _harmless(value: object) -> object:
    """Defang each text on its way into a page; what we drew ourselves (Markup) is left as it is."""
    return defang(value) if isinstance(value, str) and not isinstance(value, Markup) else value
