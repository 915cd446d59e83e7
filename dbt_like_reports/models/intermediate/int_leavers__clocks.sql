-- One row for each leaver: when the end of access was first asked for, received, done, and the last membership gone.
with leavers as (
    select
        leavers.*,
        spans.from_event as active_from_event
    from {{ ref('stg_scim__leavers') }} as leavers
    left join {{ ref('int_users__status_spans') }} as spans
        on
            leavers.organization = spans.organization
            and leavers.user_id = spans.user_id
            and leavers.event = spans.until_event
            and spans.is_active
),

refused as (
    select
        leavers.organization,
        leavers.event,
        min(requests.occurred_at) as first_refused_at
    from leavers
    inner join {{ ref('int_leavers__refused_requests') }} as requests
        on
            leavers.organization = requests.organization
            and leavers.user_id = requests.user_id
            and requests.event > coalesce(leavers.active_from_event, 0)
            and requests.event < leavers.event
    group by leavers.organization, leavers.event
),

memberships as (
    select
        leavers.organization,
        leavers.event,
        count(*) as memberships_held,
        count(spans.until_event) as memberships_removed,
        max(spans.until_at) as last_removed_at
    from leavers
    inner join {{ ref('int_teams__membership_spans') }} as spans
        on
            leavers.organization = spans.organization
            and leavers.user_id = spans.user_id
            and spans.from_event < leavers.event
            and coalesce(spans.until_event, leavers.event) >= leavers.event
    group by leavers.organization, leavers.event
)

select
    leavers.*,
    refused.first_refused_at,
    least(leavers.received_at, leavers.asserted_at, refused.first_refused_at) as asked_at,
    coalesce(memberships.memberships_held, 0) as memberships_held,
    coalesce(memberships.memberships_removed, 0) as memberships_removed,
    case
        when memberships.memberships_held = memberships.memberships_removed then memberships.last_removed_at
    end as memberships_removed_at
from leavers
left join refused
    on leavers.organization = refused.organization and leavers.event = refused.event
left join memberships
    on leavers.organization = memberships.organization and leavers.event = memberships.event
