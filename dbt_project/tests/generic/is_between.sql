{# Values outside of their range, NULL left aside: none should be. #}
{% test is_between(model, column_name, lower, upper=none) %}
select {{ column_name }}
from {{ model }}
where
    {{ column_name }} < {{ lower }}
    {%- if upper is not none %}
    or {{ column_name }} > {{ upper }}
    {%- endif %}
{% endtest %}
