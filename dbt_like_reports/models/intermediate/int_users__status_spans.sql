-- One row for each stretch of time in which an account was active, or inactive; consecutive versions are joined.
with versions as (
    select
        versions.*,
        lag(versions.is_active) over own_history as was_active,
        lag(versions.until_event) over own_history as ended_before
    from {{ ref('stg_scim__user_versions') }} as versions
    inner join {{ ref('int_log__cuts') }} as cuts
        on versions.organization = cuts.organization and versions.from_event <= cuts.as_of_event
    window own_history as (
        partition by versions.organization, versions.user_id
        order by versions.from_event
    )
),

numbered as (
    select
        *,
        sum(case when was_active = is_active and ended_before = from_event then 0 else 1 end)
            over (
                partition by organization, user_id
                order by from_event
                rows between unbounded preceding and current row
            ) as span_number
    from versions
),

spans as (
    select
        organization,
        user_id,
        is_active,
        min(from_event) as from_event,
        min(from_at) as from_at,
        case when count(*) = count(until_event) then max(until_event) end as until_event
    from numbered
    group by organization, user_id, is_active, span_number
)

select
    spans.organization,
    spans.user_id,
    spans.is_active,
    spans.from_event,
    spans.from_at,
    -- What ends after the day of the build is not known on that day.
    ends.event as until_event,
    ends.occurred_at as until_at
from spans
left join {{ ref('stg_scim__events') }} as ends
    on spans.organization = ends.organization and spans.until_event = ends.event
