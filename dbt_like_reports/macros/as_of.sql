{#
  The state that a build tells of: all that was known at the end of the day `as_of_day`, the newest day when it is not
  set. Nothing in the project asks a clock, so the same day gives the same rows whenever it is built.
#}
{% macro at_as_of_day(relation) -%}
    {%- if var('as_of_day', none) -%}
        day = cast('{{ var("as_of_day") }}' as date)
    {%- else -%}
        day = (select max(newest.day) from {{ relation }} as newest)
    {%- endif -%}
{%- endmacro %}

{% macro until_as_of_day() -%}
    {%- if var('as_of_day', none) -%}
        day <= cast('{{ var("as_of_day") }}' as date)
    {%- else -%}
        day is not null
    {%- endif -%}
{%- endmacro %}

{% macro as_of_day(newest) -%}
    {%- if var('as_of_day', none) -%}
        cast('{{ var("as_of_day") }}' as date)
    {%- else -%}
        {{ newest }}
    {%- endif -%}
{%- endmacro %}
