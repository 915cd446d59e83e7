-- One row for each person who lost access and has not come back.
select
    organization,
    user_name,
    display_name,
    email,
    department,
    left_at,
    how,
    teams_lost,
    identity_provider,
    event,
    user_id
from {{ ref('stg_scim__deprovisioned_accounts') }}
order by organization, left_at, event
