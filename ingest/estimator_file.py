"""An estimator as bytes (skops): to read them executes nothing, and only listed types are made."""

from typing import Any

from ingest.errors import DriftnetError

TRUSTED = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
"""What a stored estimator may hold beside the types that skops itself trusts: the trees, and the
type of an array's numbers (skops reads it from an empty array, without pickle)."""


def dump(estimator: Any, label: str) -> bytes:
    """Return an estimator as bytes; one that could not be read back is refused now."""
    from skops import io as skops

    blob: bytes = skops.dumps(estimator)
    _refuse_strange(blob, label)
    return blob


def read(blob: bytes, label: str) -> Any:
    """Return the estimator of some bytes.

    Raises
    ------
    DriftnetError
        The bytes cannot be read, or hold a type that is not listed; `label` names the model.
    """
    from skops import io as skops

    _refuse_strange(blob, label)
    return skops.loads(blob, trusted=list(TRUSTED))


def _refuse_strange(blob: bytes, label: str) -> None:
    from skops import io as skops

    try:
        strange = sorted(set(skops.get_untrusted_types(data=blob)) - set(TRUSTED))
    except Exception as error:  # a broken archive fails in many ways, none of them ours
        raise DriftnetError(f"{label}: model.skops cannot be read ({error})") from error
    if strange:
        raise DriftnetError(
            f"{label}: model.skops holds type {strange[0]}, which is not allowed: "
            "use an estimator of the list in ingest/estimator_file.py"
        )
