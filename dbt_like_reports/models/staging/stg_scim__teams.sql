-- The teams on the newest day there is.
select
    day as as_of_day,
    org as organization,
    team_id,
    display_name as team_name
from {{ source('identity', 'teams') }}
where day = (select max(day) from {{ source('identity', 'teams') }})
