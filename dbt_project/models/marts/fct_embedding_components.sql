{# One row per window, segment and principal component of the embeddings: how far it moved. #}
with comparisons as (
    select * from {{ ref('int_vector_comparisons') }}
    where component_weights is not null
),

numbered as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        segment_name,
        segment_value,
        basis_id,
        reference_count,
        current_count,
        fold_id,
        component_distances,
        component_shifts,
        component_weights,
        unnest(range(1, len(component_weights) + 1)) as component_number
    from comparisons
),

components as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        'training' as reference_kind,
        segment_name,
        segment_value,
        cast(component_number as integer) as component_number,
        component_distances[component_number] as wasserstein,
        component_shifts[component_number] as mean_shift,
        component_weights[component_number] as weight,
        component_weights[component_number] * component_distances[component_number] as contribution,
        reference_count,
        current_count,
        basis_id,
        fold_id
    from numbered
)

select * from components
