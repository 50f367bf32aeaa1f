{# Runs before a build: refuses settings that no build can honour. A misspelt name would leave rows out without a word. #}
{% macro require_sound_settings() %}
    {% set grains = ['day', 'week', 'month'] %}
    {% set kinds = ['training', 'pinned', 'previous', 'seasonal'] %}
    {% set choices = {
        'gate_grain': grains,
        'sample_grains': grains,
        'vector_grains': var('sample_grains'),
        'sample_segments': var('segment_columns'),
        'segment_metrics': binned_metrics(),
        'earlier_metrics': binned_metrics(),
        'segment_reference_kinds': kinds,
        'attributed_reference_kinds': kinds,
    } %}
    {#- a bin is a byte: ranges, values with a bin of their own (together less than twice as many as bins) and four special ones #}
    {% set ranges = {
        'bins': [2, 125],
        'max_categories': [1, 252],
        'alpha': [0, 1],
        'coverage_minimum': [0, 1],
        'known_share_floor': [0, 1],
        'orphaned_label_share_limit': [0, 1],
    } %}
    {% for name in [
        'rows_per_bin', 'segment_values', 'window_minimum_count', 'segment_minimum_count', 'seasonal_weeks', 'calibration_bins', 'sample_size',
        'reference_sample_size', 'embedding_sample_size', 'batch_rows', 'pca_components', 'fourier_features', 'profile_top_values'
    ] %}
        {% do ranges.update({name: [1, 1e9]}) %}
    {% endfor %}
    {% for name in [
        'smoothing', 'permutations', 'allowed_lateness_hours', 'stale_after_hours', 'dedupe_horizon_days', 'label_wait_days', 'label_delay_days',
        'label_delay_history_days', 'labelled_prediction_days', 'reopen_windows', 'alert_horizon_days', 'false_positive_cost', 'false_negative_cost'
    ] %}
        {% do ranges.update({name: [0, 1e9]}) %}
    {% endfor %}

    {% set wrong = [] %}
    {% for name, known in choices.items() %}
        {% set given = [var(name)] if var(name) is string else var(name) %}
        {% for word in given if word not in known %}
            {% do wrong.append(name ~ ' names ' ~ word ~ ', not one of ' ~ (known | join(', ') or 'none')) %}
        {% endfor %}
    {% endfor %}
    {% for name, (least, most) in ranges.items() %}
        {% if var(name) is not number or not least <= var(name) <= most %}
            {% do wrong.append(name ~ ' is ' ~ var(name) ~ ', not a number from ' ~ least ~ (' to ' ~ most if most < 1e9 else '')) %}
        {% endif %}
    {% endfor %}
    {% if wrong %}
        {{ exceptions.raise_compiler_error('settings that no build can honour (vars of dbt_project.yml): ' ~ wrong | join('; ')) }}
    {% endif %}
    {{ return('') }}
{% endmacro %}
