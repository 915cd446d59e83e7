-- The teams at the end of the day.
select
    day as as_of_day,
    org as organization,
    team_id,
    display_name as team_name,
    origin
from {{ source('identity', 'teams') }}
where {{ at_as_of_day() }}
