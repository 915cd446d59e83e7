-- One row for each request to take an account's access away that was refused: from then on the account was late.
select
    organization,
    event,
    subject_id as user_id,
    occurred_at
from {{ ref('stg_scim__events') }}
where
    event_type = 'write.rejected'
    and subject_kind = 'user'
    and subject_id is not null
    and asked_to_leave
