-- Every membership there was, from the event that began it to the one that ended it.
select
    org as organization,
    team_id,
    user_id,
    from_seq as from_event,
    until_seq as until_event,
    since as from_at
from {{ source('identity', 'membership_versions') }}
