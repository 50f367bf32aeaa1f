{#
How good a binary classifier is: a query, one row per group of rows.

The truth of a row is a weight, so the same formulas give what was realised (weights 0 and 1) and what is to be expected when only
the probability of a positive is known (see calibrated).

    accuracy           (TP + TN) / n
    precision          TP / (TP + FP)
    recall             TP / (TP + FN)
    f1                 2 TP / (2 TP + FP + FN)
    roc_auc            sum over positives of (negatives below + tied negatives / 2) / (P N), that is by midranks
    pr_auc             average precision: sum over distinct scores of (share of P at the score) * precision at or above it
    brier              mean (score - truth)^2
    log_loss           mean -ln(probability given to the truth), scores kept 2.2e-16 away from 0 and 1
    calibration_error  sum over bins of abs(sum of truth - sum of score) / n, bins of equal width, lower open, upper closed
    cost               (FP * false_positive_cost + FN * false_negative_cost) / n

Parameters
    rows                  a relation (or CTE) with score (0..1), is_predicted_positive and positive_weight (double, 0..1)
    by                    names of the columns that say which group a row belongs to
    false_positive_cost   cost of one row that is judged positive and is not, >= 0
    false_negative_cost   cost of one row that is positive and not judged so, >= 0
    calibration_bins      number of bins of the calibration error, >= 1
Returns
    by, row_count n, positive_sum P, predicted_positive_count TP + FP, true_positive_sum TP, <metric>_value for each metric above (NULL
    where it is 0/0, roc_auc and pr_auc also where P or N is 0), and what DeLong's variance of roc_auc needs: positive_placement_variance
    and negative_placement_variance (ddof 1; variance = the first / P + the second / N)
Errors
    none
Source
    equal to scikit-learn (roc_auc_score, average_precision_score and so on) to 1e-9; variance: DeLong, DeLong and Clarke-Pearson
    (1988), Biometrics 44
#}
{% macro binary_quality(rows, by, false_positive_cost=1, false_negative_cost=1, calibration_bins=10) -%}
{%- set key = by | join(', ') -%}
    select
        {{ key }},
        row_count,
        positive_sum,
        predicted_positive_count,
        true_positive_sum,
        (2 * true_positive_sum + row_count - positive_sum - predicted_positive_count) / row_count as accuracy_value,
        true_positive_sum / nullif(predicted_positive_count, 0) as precision_value,
        true_positive_sum / nullif(positive_sum, 0) as recall_value,
        2 * true_positive_sum / nullif(predicted_positive_count + positive_sum, 0) as f1_value,
        case when positive_sum > 0 and negative_sum > 0 then placement_sum / positive_sum end as roc_auc_value,
        case when positive_sum > 0 and negative_sum > 0 then average_precision end as pr_auc_value,
        squared_error_sum / row_count as brier_value,
        log_loss_sum / row_count as log_loss_value,
        calibration_distance / row_count as calibration_error_value,
        (
            (predicted_positive_count - true_positive_sum) * {{ false_positive_cost }}
            + (positive_sum - true_positive_sum) * {{ false_negative_cost }}
        ) / row_count as cost_value,
        case
            when positive_sum > 1 and negative_sum > 0
                then greatest(squared_placement_sum - placement_sum * placement_sum / positive_sum, 0) / (positive_sum - 1)
        end as positive_placement_variance,
        case
            when negative_sum > 1 and positive_sum > 0
                then greatest(squared_negative_placement_sum - negative_placement_sum * negative_placement_sum / negative_sum, 0) / (negative_sum - 1)
        end as negative_placement_variance
    from (
        select
            {{ key }},
            cast(sum(score_row_count) as bigint) as row_count,
            sum(positives) as positive_sum,
            sum(negatives) as negative_sum,
            cast(sum(predicted_positives) as bigint) as predicted_positive_count,
            sum(true_positives) as true_positive_sum,
            sum(squared_error) as squared_error_sum,
            sum(log_loss) as log_loss_sum,
            {%- for bin in range(calibration_bins) %}
            {{ "+ " if not loop.first }}abs(coalesce(sum(positives - score_row_count * score) filter (where calibration_bin = {{ bin }}), 0.0))
            {%- endfor %} as calibration_distance,
            sum(positives * placement) as placement_sum,
            sum(positives * placement * placement) as squared_placement_sum,
            sum(negatives * negative_placement) as negative_placement_sum,
            sum(negatives * negative_placement * negative_placement) as squared_negative_placement_sum,
            sum(positives * positives_from / rows_from) / nullif(sum(positives), 0) as average_precision
        from (
            select
                {{ key }},
                score,
                score_row_count,
                positives,
                negatives,
                predicted_positives,
                true_positives,
                calibration_bin,
                positives * (1 - score) * (1 - score) + negatives * score * score as squared_error,
                -positives * ln(greatest(score, 2.220446049250313e-16))
                - negatives * ln(greatest(1 - score, 2.220446049250313e-16)) as log_loss,
                positives_from,
                rows_from,
                -- of a positive the share of negatives below it, of a negative the share of positives above it; ties count half
                (all_negatives - negatives_from + negatives / 2) / nullif(all_negatives, 0) as placement,
                (positives_from - positives / 2) / nullif(all_positives, 0) as negative_placement
            from (
                select
                    {{ key }},
                    score,
                    score_row_count,
                    positives,
                    negatives,
                    predicted_positives,
                    true_positives,
                    calibration_bin,
                    sum(positives) over (partition by {{ key }} order by score desc) as positives_from,
                    sum(negatives) over (partition by {{ key }} order by score desc) as negatives_from,
                    sum(score_row_count) over (partition by {{ key }} order by score desc) as rows_from,
                    sum(positives) over (partition by {{ key }}) as all_positives,
                    sum(negatives) over (partition by {{ key }}) as all_negatives
                from (
                    select
                        {{ key }},
                        score,
                        count(*) as score_row_count,
                        sum(positive_weight) as positives,
                        sum(1 - positive_weight) as negatives,
                        sum(case when is_predicted_positive then 1 else 0 end) as predicted_positives,
                        sum(case when is_predicted_positive then positive_weight else 0 end) as true_positives,
                        {{ driftnet.calibration_bin('score', calibration_bins) }} as calibration_bin
                    from {{ rows }}
                    group by {{ key }}, score
                ) as scores
            ) as cumulated
        ) as placed
        group by {{ key }}
    ) as sums
{%- endmacro %}

{#
The bin of a score among bins of equal width, lower open, upper closed (0 is of the first): how many inner edges lie below it.

Parameters
    score   0..1
    bins    number of bins
Returns
    0 to bins - 1
Errors
    none
Source
    Driftnet
#}
{% macro calibration_bin(score, bins) -%}
    (0{% for edge in range(1, bins) %} + cast({{ score }} > {{ edge * (1 / bins) }}e0 as integer){% endfor %})
{%- endmacro %}
