-- The organizations with the numbers that reports judge by, as they are set at present.
select
    org as organization,
    cast(deprovision_sla_seconds as bigint) as sla_seconds,
    {% for name in thresholds() -%}
        cast({{ name }} as bigint) as {{ name }}{{ "," if not loop.last }}
    {% endfor %}
from {{ source('identity', 'organizations') }}
