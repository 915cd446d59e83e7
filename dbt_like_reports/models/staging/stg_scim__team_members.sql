-- The memberships at the end of the day; pending members have no account yet, so no access to review.
select
    day as as_of_day,
    org as organization,
    team_id,
    user_id,
    since as member_since
from {{ source('identity', 'team_members') }}
where
    {{ at_as_of_day() }}
    and not pending
