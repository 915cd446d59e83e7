-- The event log up to the end of the day.
select
    org as organization,
    day,
    seq as event,
    id as event_id,
    type as event_type,
    occurred_at,
    subject_kind,
    subject_id,
    subject_name,
    actor,
    idp as identity_provider,
    method,
    status,
    scim_type,
    detail,
    change,
    asked_to_leave,
    log_epoch,
    prev_hash,
    hash
from {{ source('identity', 'provisioning_events') }}
where {{ until_as_of_day() }}
