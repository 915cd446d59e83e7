-- One row for each organization and day, also for the days on which nothing came.
with recursive events as (
    select * from {{ ref('stg_scim__events') }}
),

per_day as (
    select
        organization,
        day,
        count(*) as events,
        count(case when identity_provider is not null and event_type <> 'write.rejected' then 1 end) as accepted_writes,
        count(case when event_type = 'write.rejected' then 1 end) as refused_writes,
        count(distinct case when event_type = 'write.rejected' then coalesce(scim_type, 'other') end) as refusal_causes,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at
    from events
    group by organization, day
),

spine as (
    select
        per_day.organization,
        min(per_day.day) as day,
        max(cuts.as_of_day) as last_day
    from per_day
    inner join {{ ref('int_log__cuts') }} as cuts
        on per_day.organization = cuts.organization
    group by per_day.organization
    union all
    select
        organization,
        cast(day + interval '1 day' as date) as day,
        last_day
    from spine
    where day < last_day
)

select
    spine.organization,
    spine.day,
    coalesce(per_day.events, 0) as events,
    coalesce(per_day.accepted_writes, 0) as accepted_writes,
    coalesce(per_day.refused_writes, 0) as refused_writes,
    coalesce(per_day.refusal_causes, 0) as refusal_causes,
    coalesce(per_day.accepted_writes, 0) + coalesce(per_day.refused_writes, 0) = 0 as is_silent,
    per_day.first_event_at,
    per_day.last_event_at
from spine
left join per_day
    on spine.organization = per_day.organization and spine.day = per_day.day
