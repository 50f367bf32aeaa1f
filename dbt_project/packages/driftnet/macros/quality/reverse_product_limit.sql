{#
Which share of delays is over by when, though long delays of young events cannot be seen yet: a query, one row per group and delay.

    F(d) = product over delays t > d of (1 - n(t) / Y(t))
    n(t) events with delay t,  Y(t) events with delay <= t <= room: those that could have shown a delay of t and took no longer

The product limit (Kaplan-Meier) with time running backwards: delays are truncated on the right by the room that they have.

Parameters
    delays   a relation (or CTE) of the events whose delay is over
    by       names of the columns that say which group an event belongs to
    delay    name of the column with its delay, a number >= 0
    room     name of the column with the longest delay that could have been seen, >= delay (at most the horizon)
Returns
    by, delay, known_share F(delay): of the events that are over within the horizon the share over by then, 0..1
Errors
    none
Source
    Lagakos, Barraj and De Gruttola (1988), Biometrika 75
#}
{% macro reverse_product_limit(delays, by, delay, room) -%}
{%- set key = by | join(', ') -%}
    select
        {{ key }},
        moment as delay,
        case
            when coalesce(bool_or(factor <= 0) over later, false) then 0.0
            else exp(coalesce(sum(ln(case when factor > 0 then factor else 1 end)) over later, 0.0))
        end as known_share
    from (
        select
            {{ key }},
            moment,
            1 - entries / cast(
                sum(entries) over (partition by {{ key }} order by moment asc)
                - coalesce(sum(exits) over (partition by {{ key }} order by moment asc rows between unbounded preceding and 1 preceding), 0)
                as double
            ) as factor,
            entries
        from (
            select
                {{ key }},
                moment,
                sum(entry) as entries,
                sum(1 - entry) as exits
            from (
                select {{ key }}, {{ delay }} as moment, 1 as entry from {{ delays }}
                union all
                select {{ key }}, {{ room }} as moment, 0 as entry from {{ delays }}
            ) as moments
            group by {{ key }}, moment
        ) as steps
    ) as factors
    where entries > 0
    window later as (partition by {{ key }} order by moment desc rows between unbounded preceding and 1 preceding)
{%- endmacro %}
