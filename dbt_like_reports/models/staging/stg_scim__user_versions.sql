-- Every state that an account was in, from one event to the next.
select
    org as organization,
    user_id,
    from_seq as from_event,
    until_seq as until_event,
    active as is_active,
    user_name,
    department,
    origin,
    updated_at as from_at
from {{ source('identity', 'user_versions') }}
