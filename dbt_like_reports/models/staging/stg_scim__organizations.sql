-- The organizations with the agreement on how soon a leaver's access ends.
select
    org as organization,
    cast(deprovision_sla_seconds as bigint) as sla_seconds
from {{ source('identity', 'organizations') }}
