"""The model of the README runs as it stands there."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import InputError
from ingest.model import describe
from ingest.scorer import Scorer
from ingest.synthesize import synthesize
from ops.project import variables
from ops.settings import CHECKOUT, read
from retrain.policy import policy_from
from retrain.recipes import named, of_champion
from retrain.train import train_initial

README = CHECKOUT / "retrain" / "README.md"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_other_model_of_the_readme_trains_serves_and_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(block.splitlines()) <= 30
    (tmp_path / "mymodel.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    made = synthesize(tmp_path, 3, weeks=6, calm_weeks=6, events_per_week=400, drifts=())
    models = tmp_path / "models"
    recipe = named("mymodel:RECIPE")
    card = train_initial(made.events, made.end, models, "trees", 9, lambda: NOW, recipe=recipe)
    assert card.metrics["roc_auc"] > 0.8  # type: ignore[operator]
    assert len(describe(models, "trees", "1")[1]) == 5
    scores = Scorer.load(models, "trees").score(["https://example.com/a", "x"]).score
    assert ((scores > 0) & (scores < 1)).all()
    assert of_champion(models, "trees") == recipe
    assert of_champion(models, "trees", "retrain.train:RECIPE").name != recipe.name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mymodel", "write it as module:NAME"),
        ("no.such.module:RECIPE", "cannot be loaded .* PYTHONPATH"),
        ("retrain.train:RECIPES", "has no recipe RECIPES"),
        ("retrain.train:LEAST_PER_CLASS", "has no recipe LEAST_PER_CLASS"),
    ],
)
def test_a_recipe_that_is_none_is_refused_with_the_remedy(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        named(name)


def test_the_readme_has_every_var_of_the_policy_with_its_default() -> None:
    values = variables(read({}))
    text = README.read_text()
    for name in [name for name in values if name.startswith("retrain_")]:
        told = re.search(rf"`{name}`(?: \| | \()([\d.]+)", text)
        assert told, name
        assert float(told[1]) == values[name], name
    policy_from(values)
