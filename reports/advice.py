"""What to do next about what is out of bounds, in sentences."""

from reports.defang import shorten
from reports.evidence import Evidence


def advice(drift_kind: str, feature_name: str, since: str) -> str:
    """Say what to do about one row out of bounds."""
    feature = shorten(feature_name)
    told = {
        "prediction": "the model's output moved: check labelled events of these windows, and"
        " retrain if they show more errors.",
        "label": "the share of positives moved: ask who labels and what they were sent; the"
        " threshold may need a new look.",
        "embedding": "the inputs as a whole moved: read new events beside those of the reference.",
        "quality": f"the model errs more ({feature}, since {since}): look at its worst segment,"
        " then retrain on newer labels (`driftnet retrain`).",
        "concept": f"errors changed about {since}: look at labelled events before and after.",
        "pipeline": f"mend the pipeline first ({feature}, since {since}): other drift may be its"
        " shadow.",
    }
    source = (
        f"ask what changed at the source of {feature} about {since}: a feed, a field, a parser."
    )
    return told.get(drift_kind, source)


def what_next(evidence: Evidence) -> str:
    """Say what to do about a window: for each kind that failed, the broken pipeline first."""
    offending = evidence.offending
    failed = [row for row in offending if row.severity > 1]
    if not offending:
        return "Nothing to do."
    if not failed:
        return f"Watch {offending[0].feature_name} in the next window; a warning fails nothing."
    told = []
    for kind in ("pipeline", "quality", "concept", "covariate", "embedding", "label", "prediction"):
        of_kind = [row for row in failed if row.drift_kind == kind]
        if of_kind:
            found = evidence.streak_of(of_kind[0])
            since = evidence.name(found.since if found else evidence.verdict.window_start_at)
            told.append(capital(advice(kind, of_kind[0].feature_name, since)))
    if not any(row.drift_kind in ("prediction", "quality", "concept") for row in failed):
        told.append("The model's output did not fail with its inputs: labels say if errors grew.")
    return " ".join(told)


def capital(text: str) -> str:
    """Return a text with its first letter large."""
    return text[:1].upper() + text[1:]
