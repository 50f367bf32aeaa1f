{# Models of which some landed label is counted twice or not at all: none should be. #}
{% test labels_add_up(model) %}
select
    model_name,
    landed_count
from {{ model }}
where landed_count != applied_count + superseded_count + waiting_count + orphaned_count + dead_count
{% endtest %}
