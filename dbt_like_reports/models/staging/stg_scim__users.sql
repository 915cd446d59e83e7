-- The accounts at the end of the day.
select
    day as as_of_day,
    org as organization,
    seq as as_of_event,
    user_id,
    user_name,
    external_id,
    display_name,
    email,
    title,
    department,
    user_type,
    manager_id,
    active as is_active,
    origin,
    idp as identity_provider,
    created_at,
    updated_at,
    deactivated_at
from {{ source('identity', 'users') }}
where {{ at_as_of_day() }}
