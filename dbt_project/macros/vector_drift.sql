{#
The MMD of any two stretches of days, in plain SQL on the published file, by sums of Fourier features:

    from vector_drift_between(reference_from, reference_to, current_from, current_to)

With S the sum of the features of n rows (x) or m (y), each of length 1, over all days of a side and s over one day:

    mmd_squared    = (|Sx|^2 - n) / (n (n - 1)) + (|Sy|^2 - m) / (m (m - 1)) - 2 Sx.Sy / (n m)
    apart          = how alike rows of two days of one side are: sum of |S|^2 - sum |s|^2 over their pairs; alike: the same within days
    rho            = (alike - apart) / (1 - apart), 0..1
    design_effect  = ((1 + rho (sum n_d^2 / n - 1)) / n + the same of m) / (1/n + 1/m)
    expected_value = (design_effect - 1) (1/n + 1/m) (1 - apart): what days that differ give without drift

It is the exact mmd_squared of the same rows up to the kernel's error of 1 / sqrt(features / 2) of its size. Sums are of each day's sample
(embedding_sample_size rows at most), so a busier day weighs no more than that. A day counts where it begins inside a stretch; one that is
in both counts for the reference. There is no p-value: that of the windows is in fct_drift_metrics.
Source: Zhao and Meng (2015), FastMMD: ensemble of circular discrepancy for efficient two-sample test, Neural Computation 27.
#}
{% macro create_vector_drift_between() %}
    {%- set key = 'model_name, model_version, drift_kind, feature_name' %}
    create or replace macro vector_drift_between(reference_from, reference_to, current_from, current_to) as table (
        with days as (
            select
                {{ key }},
                window_start_at,
                row_count,
                feature_sums,
                list_dot_product(feature_sums, feature_sums) as own_product,
                window_start_at >= reference_from and window_start_at < reference_to as is_reference
            from fct_vector_sums
            where
                (window_start_at >= reference_from and window_start_at < reference_to)
                or (window_start_at >= current_from and window_start_at < current_to)
        ),

        sizes as (
            select
                {{ key }},
                sum(row_count) filter (where is_reference) as n,
                sum(row_count) filter (where not is_reference) as m,
                sum(row_count * row_count) filter (where is_reference) as squared_n,
                sum(row_count * row_count) filter (where not is_reference) as squared_m,
                sum(own_product) as own_products
            from days
            group by all
        ),

        cells as (
            select
                {{ key }},
                is_reference,
                unnest(feature_sums) as cell,
                unnest(range(len(feature_sums))) as place
            from days
        ),

        totals as (
            select
                {{ key }},
                place,
                sum(cell) filter (where is_reference) as x,
                sum(cell) filter (where not is_reference) as y
            from cells
            group by all
        ),

        products as (
            select
                {{ key }},
                sum(x * x) as xx,
                sum(y * y) as yy,
                sum(x * y) as xy
            from totals
            group by all
        ),

        likeness as (
            select
                *,
                (own_products - n - m) / nullif(squared_n + squared_m - n - m, 0) as alike,
                coalesce((xx + yy - own_products) / nullif(n * n + m * m - squared_n - squared_m, 0), 0) as apart
            from sizes
            inner join products using ({{ key }})
            where n > 1 and m > 1
        ),

        effects as (
            select
                *,
                1 / n + 1 / m as variance,
                coalesce(greatest(0, least(1, (alike - apart) / nullif(1 - apart, 0))), 0) as rho
            from likeness
        )

        select
            {{ key }},
            (xx - n) / (n * (n - 1)) + (yy - m) / (m * (m - 1)) - 2 * xy / (n * m) as mmd_squared,
            rho * ((squared_n / n - 1) / n + (squared_m / m - 1) / m) * (1 - apart) as expected_value,
            1 + rho * ((squared_n / n - 1) / n + (squared_m / m - 1) / m) / variance as design_effect,
            cast(n as bigint) as reference_count,
            cast(m as bigint) as current_count
        from effects
    )
{% endmacro %}
