{# Digest of what the results rest on beside the log: the period and the thresholds, as digits and letters. #}
{% macro evidence_digest() -%}
    substr(
        md5(
            cast(cuts.period_start as text) || ' ' || cast(cuts.as_of_day as text)
            {%- for name in thresholds() %}
            || ' {{ name }}=' || cast(cuts.{{ name }} as text)
            {%- endfor %}
        ),
        1,
        8
    )
{%- endmacro %}
