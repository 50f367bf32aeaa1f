"""The part of landing's SQL that spreads a prediction's features over columns.

Most messages hold registered features of the right type and nothing else: they take a quick path
(one look-up per feature, no list functions). A message with any other name, with a value of another
type than registered, with a name twice or a number that is not finite takes the slow path, which
looks at every key. Names in another case are lowered first.
"""

from collections.abc import Sequence

from ingest.fields import (
    FEATURE_NAME,
    FEATURE_NAME_RULE,
    FEATURE_RULE,
    JSON_TYPES,
    MAX_OTHER_BYTES,
)
from ingest.model import Feature
from ingest.quoting import column, listed, structure, text

COLUMN_TYPES = {"numeric": "DOUBLE", "boolean": "BOOLEAN", "categorical": "VARCHAR"}
TOO_MANY = f"features without a column are longer than {MAX_OTHER_BYTES} bytes of JSON"

_NUMBERS = f"({', '.join(map(text, JSON_TYPES['number']))})"
_FITS = {
    "numeric": "{type} in " + _NUMBERS,
    "boolean": "{type} = 'BOOLEAN'",
    "categorical": "{type} = 'VARCHAR'",
}


def feature_ctes(features: Sequence[Feature], source: str) -> list[str]:
    """Return the steps from `source` (with ``_as_features``, JSON) to ``spread``."""
    keyed = (
        "keyed as (select *, json_keys(_as_features) as _keys,"
        " array_to_string(_keys, ' ') as _names, lower(_names) <> _names as _has_case"
        f" from {source})"
    )
    lowered = (
        "lowered as (select *, case when _has_case then '{' || array_to_string(list_transform("
        "list_zip(_keys, json_extract(_as_features, '$.*')),"
        " lambda item: cast(to_json(lower(item[1])) as varchar) || ':' || item[2]), ',') || '}'"
        " else cast(_as_features as varchar) end as _features from keyed)"
    )
    if features:
        shape = structure((item.name, COLUMN_TYPES[item.kind]) for item in features)
        paths = listed(f"$.{item.name}" for item in features)
        looked = (
            f"looked as (select *, json_type(_features, {paths}) as _kinds,"
            f" json_transform(_features, {shape}) as _found from lowered)"
        )
    else:
        looked = "looked as (select * from lowered)"
    values = "".join(
        f", case when {_fits(place, item)} then _found.{column(item.name)} end as _f{place}"
        for place, item in enumerate(features, 1)
    )
    fitted = f"fitted as (select *{values} from looked)"
    counted = " + ".join(
        [
            "0",
            *(
                f"cast(_f{place} is not null or coalesce(_kinds[{place}] = 'NULL', false) as int)"
                for place in range(1, len(features) + 1)
            ),
        ]
    )
    itemed = (
        f"itemed as (select *, case when _has_case or {counted} <> len(_keys) then"
        " list_zip(_keys, json_keys(_features), json_type(_features, '$.*'),"
        " json_extract(_features, '$.*')) end as _items from fitted)"
    )
    spread = (
        "spread as (select *,"
        " list_filter(_items, lambda item: not regexp_full_match(item[1], "
        f"{text(FEATURE_NAME.pattern)}))[1][1] as _bad_name,"
        " list_filter(_items, lambda item: item[3] in ('OBJECT', 'ARRAY')"
        f" or (item[3] in {_NUMBERS} and"
        " not coalesce(isfinite(try_cast(item[4] as double)), false)))[1][2] as _bad_value,"
        f" {_other(features)} as _other from itemed)"
    )
    return [keyed, lowered, looked, fitted, itemed, spread]


def feature_errors(*, tells_names: bool) -> list[str]:
    """Return the arms of the CASE that judge the features.

    Parameters
    ----------
    tells_names
        Whether a name that is not allowed is repeated: it is any text, and may be a subject.
    """
    bad = "' ' || left(_bad_name, 80)" if tells_names else "''"
    name = f"'feature name' || {bad} || {text(f' is not allowed: {FEATURE_NAME_RULE}')}"
    return [
        f"when _bad_name is not null then {name}",
        f"when _bad_value is not null then 'feature ' || _bad_value || {text(f' {FEATURE_RULE}')}",
        f"when strlen(_other) > {MAX_OTHER_BYTES} then {text(TOO_MANY)}",
    ]


def feature_outputs(features: Sequence[Feature]) -> list[tuple[str, str]]:
    """Return names and expressions of the landed columns."""
    outputs = [(f"feature_{item.name}", f"_f{place}") for place, item in enumerate(features, 1)]
    return [*outputs, ("features_other", "_other")]


def _fits(place: int, feature: Feature) -> str:
    fits = _FITS[feature.kind].format(type=f"_kinds[{place}]")
    if feature.kind != "numeric":
        return fits
    return f"{fits} and isfinite(_found.{column(feature.name)})"


def _other(features: Sequence[Feature]) -> str:
    """Return the JSON object of what has no column or does not fit it; NULL when all fits."""
    tests = []
    for kind, fits in _FITS.items():
        names = listed(item.name for item in features if item.kind == kind)
        tests.append(f"(list_contains({names}, item[2]) and {fits.format(type='item[3]')})")
    kept = f"list_filter(_items, lambda item: item[3] <> 'NULL' and not ({' or '.join(tests)}))"
    pairs = (
        f"list_transform({kept}, lambda item: cast(to_json(item[2]) as varchar) || ':' || item[4])"
    )
    return f"'{{' || nullif(array_to_string({pairs}, ','), '') || '}}'"
