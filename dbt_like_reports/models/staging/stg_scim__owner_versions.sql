-- Every ownership of a team there was, from one event to the next.
select
    org as organization,
    team_id,
    user_id,
    from_seq as from_event,
    until_seq as until_event
from {{ source('identity', 'owner_versions') }}
