{# The grain of a model: no two rows are alike in these columns; empty ones count as a value. #}
{% test rows_are_unique(model, columns) %}

select
    {{ columns | join(', ') }},
    count(*) as times
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
