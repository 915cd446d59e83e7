-- The organizations with the numbers that reports judge by, as they are set at present.
select
    org as organization,
    cast(deprovision_sla_seconds as bigint) as sla_seconds,
    cast(dormant_days as bigint) as dormant_days,
    cast(review_days as bigint) as review_days,
    cast(grace_days as bigint) as grace_days,
    cast(rubber_stamp_seconds as bigint) as rubber_stamp_seconds,
    cast(rubber_stamp_least as bigint) as rubber_stamp_least
from {{ source('identity', 'organizations') }}
