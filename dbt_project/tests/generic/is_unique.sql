{# Rows that share a key: none should. The number of rows is the number of keys that are shared. #}
{% test is_unique(model, columns) %}
select
    {{ columns | join(',\n    ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
