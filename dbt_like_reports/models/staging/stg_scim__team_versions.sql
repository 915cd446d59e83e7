-- Every state that a team was in, from one event to the next.
select
    org as organization,
    team_id,
    display_name as team_name,
    from_seq as from_event,
    until_seq as until_event
from {{ source('identity', 'team_versions') }}
