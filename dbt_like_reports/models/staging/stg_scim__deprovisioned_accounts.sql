-- The accounts that lost access, in the words of an auditor.
select
    org as organization,
    seq as event,
    user_id,
    user_name,
    display_name,
    email,
    department,
    occurred_at as left_at,
    how,
    teams as teams_lost,
    idp as identity_provider
from {{ source('identity', 'deprovisioned_accounts') }}
where returned_at is null
