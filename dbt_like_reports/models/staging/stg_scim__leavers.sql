-- Each loss of access up to the end of the day, in the words of an auditor.
select
    org as organization,
    day,
    seq as event,
    user_id,
    user_name,
    display_name,
    email,
    department,
    how,
    teams as teams_lost,
    grants as grants_lost,
    tokens as tokens_lost,
    actor,
    idp as identity_provider,
    asserted_at,
    received_at,
    access_ended_at,
    returned_at
from {{ source('identity', 'deprovisioned_accounts') }}
where {{ until_as_of_day() }}
