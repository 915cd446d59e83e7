-- The memberships on the newest day there is; pending members have no account yet, so no access to review.
select
    day as as_of_day,
    org as organization,
    team_id,
    user_id,
    since as member_since
from {{ source('identity', 'team_members') }}
where
    day = (select max(day) from {{ source('identity', 'team_members') }})
    and not pending
