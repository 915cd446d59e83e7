-- Every role grant there was, from the event that began it to the one that ended it.
select
    org as organization,
    grant_id,
    holder_kind,
    holder_id,
    role,
    scope_kind,
    scope_id,
    from_seq as from_event,
    until_seq as until_event,
    granted_at as from_at,
    granted_by,
    reason
from {{ source('identity', 'grant_versions') }}
