-- One row for each stretch of time in which an active account was neither changed nor used.
with seen as (
    select
        versions.organization,
        versions.user_id,
        versions.from_event as event,
        versions.from_at as seen_at,
        versions.is_active
    from {{ ref('stg_scim__user_versions') }} as versions
    inner join {{ ref('int_log__cuts') }} as cuts
        on versions.organization = cuts.organization and versions.from_event <= cuts.as_of_event
    union all
    select
        organization,
        actor as user_id,
        event,
        occurred_at as seen_at,
        true as is_active
    from {{ ref('stg_scim__events') }}
    where event_type = 'session.started'
    union all
    select
        organization,
        user_id,
        from_event as event,
        from_at as seen_at,
        false as is_active
    from {{ ref('int_users__absences') }}
),

spans as (
    select
        *,
        lead(seen_at) over (partition by organization, user_id order by event asc, is_active desc) as until_at
    from seen
)

select
    spans.organization,
    spans.user_id,
    spans.event,
    spans.seen_at,
    spans.until_at
from spans
where spans.is_active
