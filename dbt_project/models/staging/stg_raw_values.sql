{# One row per landed position whose raw values a sample or a moment may still need. #}
-- depends_on: {{ ref('int_predictions') }}
{% set features = registered_features() %}
{% set files = files_with_uncollected_positions(['int_samples', 'int_moments']) %}
{% set columns = [('filename', 'varchar'), ('_offset', 'bigint'), ('embedding', 'float[]'), ('features_other', 'varchar')] %}
{% for feature in features %}
    {% do columns.append(('feature_' ~ feature.name, feature_type(feature.kind))) %}
{% endfor %}
with landed as (
    {{ read_landed(files, columns) }}
),

typed as (
    select
        string_split(filename, '/')[-3] as source_id,
        cast(replace(string_split(filename, '/')[-2], 'p=', '') as integer) as partition_id,
        _offset as position,
        embedding
        {%- for feature in features %},
        {{ landed_feature(feature.name, feature.kind) }} as feature_{{ feature.name }}
        {%- endfor %}
    from landed
)

select * from typed
