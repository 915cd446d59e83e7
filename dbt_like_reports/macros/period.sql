{# First day of the period that the controls are tested over. #}
{% macro period_start(as_of_day) -%}
    {%- if var('period_start', none) -%}
        cast('{{ var("period_start") }}' as date)
    {%- else -%}
        cast({{ as_of_day }} - interval '{{ var("review_days") }} days' as date)
    {%- endif -%}
{%- endmacro %}
