-- One row for each stretch of time in which an account was inactive or gone, from the event that ended access, or from
-- the beginning of an account that has not been active yet, to the event that brings it back.
with spans as (
    select * from {{ ref('int_users__status_spans') }}
),

active as (
    select
        *,
        lead(from_event) over (partition by organization, user_id order by from_event) as next_event,
        lead(from_at) over (partition by organization, user_id order by from_event) as next_at
    from spans
    where is_active
),

first_active as (
    select
        organization,
        user_id,
        min(from_event) as from_event,
        min(from_at) as from_at
    from active
    group by organization, user_id
),

not_yet as (
    select
        spans.organization,
        spans.user_id,
        min(spans.from_event) as from_event,
        min(spans.from_at) as from_at,
        min(first_active.from_event) as until_event,
        min(first_active.from_at) as until_at
    from spans
    left join first_active
        on spans.organization = first_active.organization and spans.user_id = first_active.user_id
    where not spans.is_active and spans.from_event < coalesce(first_active.from_event, spans.from_event + 1)
    group by spans.organization, spans.user_id
)

select
    organization,
    user_id,
    until_event as from_event,
    until_at as from_at,
    next_event as until_event,
    next_at as until_at
from active
where until_event is not null
union all
select
    organization,
    user_id,
    from_event,
    from_at,
    until_event,
    until_at
from not_yet
