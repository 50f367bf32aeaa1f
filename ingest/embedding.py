"""A URL as 32 numbers: hashed character n-grams, reduced by a truncated SVD.

The text is the cleaned URL in lower case without its scheme and a first ``www.``, at most 200 bytes
of UTF-8, between a start and an end mark. Its n-grams of 3 and 4 bytes are counted in hashed
buckets; a count n weighs (1 + ln n) times the bucket's inverse document frequency; the row has
length 1 and is multiplied by the basis. Each row is computed from itself alone and in one order, so
one URL gives the same bits as a million.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ingest.urls import clean

DIMENSION = 32
NGRAMS = (3, 4)  # bytes
TEXT_BYTES = 200
BUCKET_BITS = 13

Floats = npt.NDArray[np.float32]
Basis = Mapping[str, npt.NDArray[Any]]

_START, _END = b"\x02", b"\x03"
_MULTIPLIERS = {3: np.uint64(0x9E3779B97F4A7C15), 4: np.uint64(0xC2B2AE3D27D4EB4F)}


def embed(urls: Sequence[str], basis: Basis) -> Floats:
    """Return the embedding of URLs.

    Parameters
    ----------
    urls
        n strings, any.
    basis
        As `fit_basis` made it, or as it was read from a model folder.

    Returns
    -------
    ndarray of float32, shape (n, DIMENSION)
        Of length 1 at most; the same for a URL whatever stands beside it.
    """
    components = basis["components"]
    counts = _counts(urls, components.shape[0].bit_length() - 1)
    weighted = _weigh(counts, basis["idf"])
    return np.asarray(weighted @ components, dtype=np.float32)


def fit_basis(urls: Sequence[str], seed: int) -> dict[str, npt.NDArray[Any]]:
    """Fit a basis on the URLs of a training set.

    Parameters
    ----------
    urls
        n strings; fewer than DIMENSION different ones leave the last numbers 0.
    seed
        Of the randomised SVD.

    Returns
    -------
    dict of ndarray
        ``idf`` (float64, shape (buckets,)) and ``components`` (float64, shape (buckets,
        DIMENSION)), both rounded to 32 bits.
    """
    from sklearn.utils.extmath import randomized_svd

    counts = _counts(urls, BUCKET_BITS)
    seen = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = (np.log((1 + counts.shape[0]) / (1 + seen)) + 1).astype(np.float32).astype(np.float64)
    weighted = _weigh(counts, idf)
    rank = min(DIMENSION, *weighted.shape)
    _, _, rows = randomized_svd(weighted, n_components=rank, n_iter=4, random_state=seed)
    components = np.zeros((counts.shape[1], DIMENSION))
    components[:, :rank] = rows.T.astype(np.float32)
    return {"idf": idf, "components": components}


def _counts(urls: Sequence[str], bits: int) -> sparse.csr_array:
    """Count the hashed n-grams: shape (n, 2 ** bits)."""
    texts = [_START + _text(url) + _END for url in urls]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    data = np.frombuffer(b"".join(texts), np.uint8).astype(np.uint64)
    row_of = np.repeat(np.arange(len(texts)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(data))
    rows, buckets = [], []
    for size in NGRAMS:
        starts = np.flatnonzero(left >= size)
        code = np.zeros(len(starts), np.uint64)
        for place in range(size):
            code = (code << np.uint64(8)) | data[starts + place]
        with np.errstate(over="ignore"):
            mixed = (code + np.uint64(1)) * _MULTIPLIERS[size]
        buckets.append((mixed >> np.uint64(64 - bits)).astype(np.int64))
        rows.append(row_of[starts])
    keys = (np.concatenate(rows) << bits) | np.concatenate(buckets)
    cells, counts = np.unique(keys, return_counts=True)
    pointers = np.searchsorted(cells, np.arange(len(texts) + 1) << bits)
    shape = (len(texts), 1 << bits)
    return sparse.csr_array((counts.astype(float), cells & ((1 << bits) - 1), pointers), shape)


def _weigh(counts: sparse.csr_array, idf: npt.NDArray[np.float64]) -> sparse.csr_array:
    """Return the weighted rows, each of length 1 (an empty row stays empty)."""
    values = (1 + np.log(counts.data)) * idf[counts.indices]
    squares = np.concatenate([[0.0], values**2])
    lengths = np.diff(counts.indptr)
    starts = np.where(lengths > 0, counts.indptr[:-1] + 1, 0)
    norms = np.ones(len(lengths))
    filled = lengths > 0
    norms[filled] = np.sqrt(np.add.reduceat(squares, starts[filled]))
    weighted = values / np.repeat(norms, lengths)
    return sparse.csr_array((weighted, counts.indices, counts.indptr), counts.shape)


def _text(url: str) -> bytes:
    text = clean(url[:4096])
    cut = text.find("://", 0, 32)
    if cut >= 0:
        text = text[cut + 3 :]
    text = text[: TEXT_BYTES + 4].lower().removeprefix("www.")
    return text.encode("utf-8", "replace")[:TEXT_BYTES]
