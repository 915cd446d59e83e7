{% macro seconds_between(earlier, later) -%}
    cast(extract(epoch from ({{ later }} - {{ earlier }})) as bigint)
{%- endmacro %}

{% macro days_between(earlier, later) -%}
    cast(floor(extract(epoch from ({{ later }} - {{ earlier }})) / 86400) as bigint)
{%- endmacro %}

{% macro days(number) -%}
    {{ number }} * interval '1 day'
{%- endmacro %}
