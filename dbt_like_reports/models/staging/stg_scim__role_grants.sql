-- The roles that users and teams held by grant at the end of the day.
select
    day as as_of_day,
    org as organization,
    grant_id,
    holder_kind,
    holder_id,
    holder_name,
    role,
    scope_kind,
    scope_id,
    scope_name,
    granted_at,
    granted_by,
    reason
from {{ source('identity', 'role_grants') }}
where {{ at_as_of_day() }}
