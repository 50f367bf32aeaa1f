from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.card import Card, Feature
from ingest.embedding import DIMENSION, embed, fit_basis
from ingest.errors import DriftnetError, InputError
from ingest.features import FEATURES, cluster_of, extract, registered_domain
from ingest.model import Model, load
from ingest.scorer import Scorer
from ingest.synthesize import synthesize
from retrain.train import train_initial

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOME = [
    "https://www.example.com/a/b.html",
    "http://paypal-login.example.top/verify.php",
    "example.org",
    "",
    "http://[",
    "\ud800",
    "http://192.0.2.7/login",
    "x" * 3000,
    "hxxps://example[.]com/",
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    made = synthesize(home, 3, weeks=4, calm_weeks=4, events_per_week=700, drifts=())
    train_initial(made.events, made.end, home / "models", "urls", 3, lambda: NOW)
    return home / "models"


@pytest.fixture(scope="module")
def scorer(models: Path) -> Scorer:
    return Scorer.load(models, "urls")


def test_a_batch_scores_exactly_as_one_by_one(scorer: Scorer) -> None:
    urls = SOME * 3
    together = scorer.score(urls)
    alone = [scorer.score([url]) for url in urls]
    assert np.array_equal(together.score, np.concatenate([one.score for one in alone]))
    assert np.array_equal(together.embedding, np.concatenate([one.embedding for one in alone]))
    assert together.features == [one.features[0] for one in alone]
    assert together.cluster == [one.cluster[0] for one in alone]


def test_two_threads_score_exactly_as_one(models: Path, scorer: Scorer) -> None:
    two = Scorer.load(models, "urls", threads=2)
    assert np.array_equal(two.score(SOME * 500).score, scorer.score(SOME * 500).score)


@settings(max_examples=40, deadline=None)
@given(urls=st.lists(st.text(st.characters(codec=None), max_size=80), max_size=5))
def test_any_strings_get_a_probability_and_32_finite_numbers(
    scorer: Scorer, urls: list[str]
) -> None:
    found = scorer.score(urls)
    assert found.score.shape == (len(urls),)
    assert found.embedding.shape == (len(urls), DIMENSION)
    assert found.embedding.dtype == np.float32
    assert np.all((found.score >= 0) & (found.score <= 1))
    assert np.all(np.linalg.norm(found.embedding, axis=1) <= 1 + 1e-6)


def test_no_url_gives_no_score(scorer: Scorer) -> None:
    found = scorer.score([])
    assert (found.score.shape, found.embedding.shape) == ((0,), (0, DIMENSION))


def test_the_decision_is_score_at_or_over_the_threshold(scorer: Scorer) -> None:
    found = scorer.score(SOME)
    assert np.array_equal(found.is_positive, found.score >= scorer.threshold)
    assert found.is_positive.any()
    assert not found.is_positive.all()


def test_features_and_cluster_are_those_of_the_extractor(scorer: Scorer) -> None:
    found = scorer.score(SOME)
    assert found.features == [extract(url) for url in SOME]
    assert found.cluster == [cluster_of(registered_domain(url)) for url in SOME]


def test_a_model_read_again_scores_the_same(models: Path, scorer: Scorer) -> None:
    again = Scorer.load(models, "urls", "1")
    assert np.array_equal(again.score(SOME).score, scorer.score(SOME).score)
    assert np.array_equal(again.embed(SOME), scorer.embed(SOME))


def test_the_reference_holds_what_serving_gives(models: Path, scorer: Scorer) -> None:
    import pyarrow.parquet as pq

    rows = pq.read_table(models / "urls/1/reference.parquet")
    events = pq.read_table(models.parent / "events.parquet")
    urls = events.column("url").to_pylist()
    moments = [moment.replace(tzinfo=None) for moment in events.column("ts_utc").to_pylist()]
    begun = moments.index(rows.column("occurred_at")[0].as_py())
    found = scorer.score(urls[begun : begun + 300])
    assert rows.column("score").to_pylist()[:300] == found.score.tolist()
    embedding = np.array(rows.column("embedding").to_pylist()[:300], dtype=np.float32)
    assert np.abs(embedding - found.embedding).max() <= 1e-6
    suffixes = [row["public_suffix"] for row in found.features]
    assert rows.column("feature_public_suffix").to_pylist()[:300] == suffixes


def test_the_embedding_tells_the_classes_apart(models: Path) -> None:
    import pyarrow.parquet as pq
    from sklearn.linear_model import LogisticRegression

    rows = pq.read_table(models / "urls/1/reference.parquet").to_pydict()
    marked = [place for place, truth in enumerate(rows["is_actual_positive"]) if truth is not None]
    numbers = np.array([rows["embedding"][place] for place in marked])
    truth = np.array([rows["is_actual_positive"][place] for place in marked])
    half = len(marked) // 2
    fitted = LogisticRegression().fit(numbers[:half], truth[:half])
    right = fitted.predict(numbers[half:]) == truth[half:]
    chance = max(truth[half:].mean(), 1 - truth[half:].mean())
    assert right.mean() > chance + 0.1


def test_the_embedding_does_not_look_at_scheme_www_or_case() -> None:
    basis = fit_basis(["https://example.com/" + "ab" * n for n in range(1, 50)], 0)
    one, *others = embed(
        ["https://www.Example.com/a", "example.com/a", "hxxp://example[.]com/A"], basis
    )
    assert all(np.array_equal(one, other) for other in others)


def test_a_basis_of_few_urls_leaves_the_last_numbers_zero() -> None:
    basis = fit_basis(["https://example.com/a", "https://example.org/b"], 0)
    numbers = embed(["https://example.com/a"], basis)
    assert numbers[0, 0] != 0
    assert np.all(numbers[0, 2:] == 0)


def test_the_same_urls_and_seed_give_the_same_basis() -> None:
    urls = [f"https://example.com/{number}" for number in range(200)]
    one, two = fit_basis(urls, 5), fit_basis(urls, 5)
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_a_model_of_other_features_is_no_scorer_of_urls(models: Path) -> None:
    model = load(models, "urls")
    other = Model(
        model.folder, model.card, (Feature("age", "numeric"),), model.estimator, model.embedding
    )
    with pytest.raises(InputError, match=r"needs feature age .* not made from a URL"):
        Scorer(other)


def test_a_model_without_threshold_is_refused(models: Path) -> None:
    model = load(models, "urls")
    card = Card("urls", "1", "trained", NOW, None)
    with pytest.raises(DriftnetError, match="has no threshold"):
        Scorer(Model(model.folder, card, FEATURES, model.estimator, model.embedding))
