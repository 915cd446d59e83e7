{# Digest of what the results rest on beside the log: the period and the thresholds, as digits and letters. #}
{% macro evidence_digest() -%}
    {%- set names = [
        'dormant_days', 'review_days', 'grace_days', 'rubber_stamp_seconds', 'rubber_stamp_least'
    ] -%}
    {%- set told = [] -%}
    {%- for name in names -%}
        {%- do told.append(name ~ '=' ~ var(name)) -%}
    {%- endfor -%}
    substr(
        md5(
            cast(cuts.period_start as text) || ' ' || cast(cuts.as_of_day as text) || ' {{ told | join(" ") }}'
        ),
        1,
        8
    )
{%- endmacro %}
