-- What each account could do in each scope at the end of the day, and where that came from.
select
    day as as_of_day,
    org as organization,
    user_id,
    user_name,
    scope_kind,
    scope_id,
    scope_name,
    role,
    source,
    source_id,
    source_name,
    privileged as is_privileged
from {{ source('identity', 'effective_access') }}
where {{ at_as_of_day() }}
