{#
  The state that a build tells of: all that was known at the end of the day `as_of_day`, the newest day when it is not
  set. Nothing in the project asks a clock, so the same day gives the same rows whenever it is built.
  The newest day is looked up before and stands in the SQL as a date: the snapshots are cut from a history when they
  are read, and no database takes the one day out of all before it knows which one it is.
#}
{% macro at_as_of_day(days=none) -%}
    {%- set relation = days or source('identity', 'snapshot_cuts') -%}
    {%- set day = var('as_of_day', none) -%}
    {%- if not day and execute -%}
        {%- set day = run_query('select max(day) from ' ~ relation).columns[0].values()[0] -%}
    {%- endif -%}
    day = cast({{ "'" ~ day ~ "'" if day else 'null' }} as date)
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

{# The last moment that a build tells of: that of the day that was asked for, or the newest that is known. #}
{% macro as_of_moment(of_the_day, newest) -%}
    case when {{ 'true' if var('as_of_day', none) else 'false' }} then coalesce({{ of_the_day }}, {{ newest }}) else {{ newest }} end
{%- endmacro %}
