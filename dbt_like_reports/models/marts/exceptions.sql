-- One row for each exception from a control: who answers for it, why, who allowed it, and whether it still stands.
select
    exceptions.organization,
    exceptions.test_name,
    exceptions.subject_name,
    exceptions.owner,
    exceptions.reason,
    exceptions.requested_by,
    exceptions.approved_by,
    exceptions.created_at,
    exceptions.expires_at,
    exceptions.ended_at,
    case
        when exceptions.ended_at <= cuts.as_of_at then 'ended'
        when exceptions.expires_at <= cuts.as_of_at then 'expired'
        else 'live'
    end as state,
    exceptions.requested_by <> exceptions.approved_by as is_independent,
    exceptions.subject_id,
    exceptions.exception_id
from {{ ref('stg_scim__exceptions') }} as exceptions
inner join {{ ref('int_log__cuts') }} as cuts
    on exceptions.organization = cuts.organization
where exceptions.created_at <= cuts.as_of_at
