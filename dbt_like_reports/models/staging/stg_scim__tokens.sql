-- The SCIM tokens at the end of the day.
select
    day as as_of_day,
    org as organization,
    token_id,
    description,
    idp as identity_provider,
    created_at,
    created_by,
    expires_at,
    revoked_at,
    last_used_at
from {{ source('identity', 'tokens') }}
where {{ at_as_of_day(source('identity', 'tokens')) }}
