"""The one list of the functions that SQL may call.

DuckDB and Spark register the same rows; adding a function is adding a row here.
"""

from udfs.bootstrap import QUALITY_CELLS, QualityLimits, bootstrap_quality
from udfs.calibration import CALIBRATION, fit_calibration
from udfs.fourier import fourier_frequencies, fourier_sums
from udfs.function import Function
from udfs.ks import kolmogorov_sf, ks_two_sample
from udfs.mmd import mmd_squared
from udfs.pca import fit_basis, pca_wasserstein
from udfs.special import chi2_sf, noncentral_chi2_isf
from udfs.wasserstein import wasserstein_distance, wasserstein_scale

_SAMPLE = (("reference_count", "BIGINT"), ("current_count", "BIGINT"), ("dropped_count", "BIGINT"))
_BLOCKS = (("reference_blocks", "BIGINT[]"), ("current_blocks", "BIGINT[]"))
REGISTRY: tuple[Function, ...] = (
    Function(
        name="chi2_sf",
        kernel=chi2_sf,
        parameters=(("x", "DOUBLE"), ("df", "DOUBLE")),
        returns="DOUBLE",
        null_rule="elementwise",
        description="Upper tail probability of the chi-square law with df degrees of freedom.",
    ),
    Function(
        name="noncentral_chi2_isf",
        kernel=noncentral_chi2_isf,
        parameters=(("p", "DOUBLE"), ("df", "DOUBLE"), ("noncentrality", "DOUBLE")),
        returns="DOUBLE",
        null_rule="elementwise",
        description="Value that a non-central chi-square variable exceeds with probability p.",
    ),
    Function(
        name="kolmogorov_sf",
        kernel=kolmogorov_sf,
        parameters=(("x", "DOUBLE"),),
        returns="DOUBLE",
        null_rule="elementwise",
        description="Upper tail probability of the Kolmogorov law, x = D / sqrt(1/n + 1/m).",
    ),
    Function(
        name="ks_two_sample",
        kernel=ks_two_sample,
        parameters=(("reference", "DOUBLE[]"), ("current", "DOUBLE[]")),
        returns=(
            ("statistic", "DOUBLE"),
            ("location", "DOUBLE"),
            ("sign", "INTEGER"),
            ("p_value", "DOUBLE"),
            *_SAMPLE,
        ),
        null_rule="any",
        description="Greatest distance (0..1) of two distribution functions, where, and its p.",
    ),
    Function(
        name="wasserstein_distance",
        kernel=wasserstein_distance,
        parameters=(("reference", "DOUBLE[]"), ("current", "DOUBLE[]")),
        returns=(("distance", "DOUBLE"), *_SAMPLE),
        null_rule="any",
        description="Area between two distribution functions, in the unit of the values.",
    ),
    Function(
        name="wasserstein_scale",
        kernel=wasserstein_scale,
        parameters=(("reference", "DOUBLE[]"),),
        returns=(
            ("mean", "DOUBLE"),
            ("std", "DOUBLE"),
            ("wasserstein_scale", "DOUBLE"),
            ("row_count", "BIGINT"),
            ("dropped_count", "BIGINT"),
        ),
        null_rule="any",
        description="Mean, std and J of a reference: what its Wasserstein distances depend on.",
    ),
    Function(
        name="mmd_squared",
        kernel=mmd_squared,
        parameters=(
            ("reference", "FLOAT[][]"),
            ("current", "FLOAT[][]"),
            *_BLOCKS,
            ("bandwidth", "DOUBLE"),
            ("permutations", "INTEGER"),
            ("seed", "INTEGER"),
        ),
        returns=(("statistic", "DOUBLE"), ("p_value", "DOUBLE"), *_SAMPLE),
        null_rule="optional blocks",
        description="Unbiased MMD^2 of two samples of vectors, and its p by permuting blocks.",
    ),
    Function(
        name="fit_basis",
        kernel=fit_basis,
        parameters=(("reference", "FLOAT[][]"), ("component_count", "INTEGER")),
        returns=(
            ("means", "DOUBLE[]"),
            ("median_distance", "DOUBLE"),
            ("components", "DOUBLE[]"),
            ("explained_variances", "DOUBLE[]"),
            ("row_count", "BIGINT"),
            ("dropped_count", "BIGINT"),
        ),
        null_rule="any",
        description="Mean, median distance and principal components of a reference.",
    ),
    Function(
        name="pca_wasserstein",
        kernel=pca_wasserstein,
        parameters=(
            ("reference", "FLOAT[][]"),
            ("current", "FLOAT[][]"),
            *_BLOCKS,
            ("means", "DOUBLE[]"),
            ("components", "DOUBLE[]"),
            ("explained_variances", "DOUBLE[]"),
            ("permutations", "INTEGER"),
            ("seed", "INTEGER"),
        ),
        returns=(
            ("statistic", "DOUBLE"),
            ("p_value", "DOUBLE"),
            ("distances", "DOUBLE[]"),
            ("shifts", "DOUBLE[]"),
            ("weights", "DOUBLE[]"),
            *_SAMPLE,
        ),
        null_rule="optional blocks",
        description="Distance along the principal components of a basis, in std, and its p.",
    ),
    Function(
        name="fourier_frequencies",
        kernel=fourier_frequencies,
        parameters=(
            ("dimension", "INTEGER"),
            ("feature_count", "INTEGER"),
            ("bandwidth", "DOUBLE"),
            ("seed", "INTEGER"),
        ),
        returns=(("frequencies", "DOUBLE[]"),),
        null_rule="any",
        description="Frequencies of random Fourier features of a Gaussian kernel, to be kept.",
    ),
    Function(
        name="fourier_sums",
        kernel=fourier_sums,
        parameters=(("vectors", "FLOAT[][]"), ("frequencies", "DOUBLE[]")),
        returns=(("sums", "DOUBLE[]"), ("row_count", "BIGINT"), ("dropped_count", "BIGINT")),
        null_rule="any",
        description="Sums of Fourier features over vectors; they merge, and MMD follows from them.",
    ),
    Function(
        name="fit_calibration",
        kernel=fit_calibration,
        parameters=(("scores", "DOUBLE[]"), ("truths", "DOUBLE[]")),
        returns=CALIBRATION,
        null_rule="any",
        description="Breakpoints that turn a score into the share of positives among its rows.",
    ),
    Function(
        name="bootstrap_quality",
        kernel=bootstrap_quality,
        parameters=QUALITY_CELLS,
        returns=tuple((name, "DOUBLE") for name in QualityLimits._fields),
        null_rule="any",
        description="95% limits and standard error of each metric of quality, by drawing days.",
    ),
)
