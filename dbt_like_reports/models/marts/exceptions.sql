-- One row for each exception from a control: who answers for it, why, who allowed it, and whether it still stands.
with known as (
    select
        exceptions.*,
        cuts.as_of_at
    from {{ ref('stg_scim__exceptions') }} as exceptions
    inner join {{ ref('int_log__cuts') }} as cuts
        on exceptions.organization = cuts.organization
    where exceptions.created_at <= cuts.as_of_at
),

-- Another exception for the same subject, which another person allowed, takes the place of an earlier one.
renewals as (
    select
        earlier.organization,
        earlier.exception_id,
        min(later.created_at) as renewed_at
    from known as earlier
    inner join known as later
        on
            earlier.organization = later.organization
            and earlier.test_name = later.test_name
            and earlier.subject_id = later.subject_id
            and earlier.created_at < later.created_at
            and lower(later.requested_by) <> lower(later.approved_by)
    group by earlier.organization, earlier.exception_id
)

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
    renewals.renewed_at,
    case
        when exceptions.ended_at <= exceptions.as_of_at then 'ended'
        when renewals.renewed_at is not null then 'renewed'
        when exceptions.expires_at <= exceptions.as_of_at then 'expired'
        else 'live'
    end as state,
    lower(exceptions.requested_by) <> lower(exceptions.approved_by) as is_independent,
    exceptions.subject_id,
    exceptions.exception_id
from known as exceptions
left join renewals
    on exceptions.organization = renewals.organization and exceptions.exception_id = renewals.exception_id
