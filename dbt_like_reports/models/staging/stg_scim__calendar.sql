-- When each day of an organization begins and ends.
select
    org as organization,
    day,
    begins_at,
    ends_at
from {{ source('identity', 'calendar') }}
