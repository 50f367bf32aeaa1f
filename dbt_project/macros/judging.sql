{#
The windows that a mart of verdicts has to judge (again): those that hold more than its rows say, or that are complete by now.
A window with too few events is not judged.
#}
{% macro windows_to_judge() -%}
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        windows.window_end_at,
        windows.is_complete,
        windows.event_count,
        windows.squared_day_sum,
        windows.fold_id
    from {{ ref('int_windows') }} as windows
    {%- if is_incremental() %}
    anti join {{ this }} as judged
        on
            windows.model_name = judged.model_name
            and windows.model_version = judged.model_version
            and windows.window_grain = judged.window_grain
            and windows.window_start_at = judged.window_start_at
            and windows.fold_id = judged.fold_id
            and windows.is_complete = judged.is_complete
    {%- endif %}
    where windows.event_count >= {{ var('window_minimum_count') }}
{%- endmacro %}
