-- Joiners, movers, leavers and changes of roles up to the end of the day.
select
    org as organization,
    day,
    seq as event,
    event_id,
    occurred_at,
    change,
    how,
    user_id,
    user_name,
    display_name,
    email,
    department,
    teams,
    detail,
    actor,
    idp as identity_provider,
    team_id,
    team_name,
    before as value_before,
    after as value_after
from {{ source('identity', 'access_changes') }}
where {{ until_as_of_day() }}
