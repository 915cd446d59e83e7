-- The exceptions from controls that were ever granted.
select
    org as organization,
    exception_id,
    control as test_name,
    subject_id,
    subject_name,
    owner,
    reason,
    requested_by,
    approved_by,
    created_at,
    expires_at,
    ended_at
from {{ source('identity', 'control_exceptions') }}
