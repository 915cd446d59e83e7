{# First day of the period that the controls are tested over. #}
{% macro period_start(as_of_day, review_days) -%}
    {%- if var('period_start', none) -%}
        cast('{{ var("period_start") }}' as date)
    {%- else -%}
        cast({{ as_of_day }} - {{ days(review_days) }} as date)
    {%- endif -%}
{%- endmacro %}

{# Whether a moment is within the period of an organization's row of int_log__cuts. #}
{% macro in_period(moment) -%}
    {{ moment }} >= cuts.period_start_at and {{ moment }} <= cuts.as_of_at
{%- endmacro %}

{# Whether a stretch of time, which has no end while it lasts, has a moment within that period. #}
{% macro touches_period(begins, ends) -%}
    {{ begins }} <= cuts.as_of_at and ({{ ends }} is null or {{ ends }} > cuts.period_start_at)
{%- endmacro %}
