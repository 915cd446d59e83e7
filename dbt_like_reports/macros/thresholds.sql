{# Made by `python -m dagster_defs.dbt_sources`: the settings that control tests go by. #}
{% macro thresholds() -%}
    {{ return(['dormant_days', 'review_days', 'grace_days', 'rubber_stamp_seconds', 'rubber_stamp_least']) }}
{%- endmacro %}
