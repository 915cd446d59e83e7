-- The accounts on the newest day there is.
select
    day as as_of_day,
    org as organization,
    seq as as_of_event,
    user_id,
    user_name,
    display_name,
    email,
    title,
    department,
    active as is_active,
    origin,
    created_at,
    deactivated_at
from {{ source('identity', 'users') }}
where day = (select max(day) from {{ source('identity', 'users') }})
