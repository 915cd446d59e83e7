-- One row for each organization: the event and the moment at which this build stands, the period that the controls are
-- tested over, by the days of the organization, and the thresholds that they go by. A day that was asked for has ended,
-- so it is told to its last instant; of the running day all that is known is told up to the last event.
with events as (
    select * from {{ ref('stg_scim__events') }}
),

calendar as (
    select * from {{ ref('stg_scim__calendar') }}
),

last_events as (
    select
        organization,
        {{ as_of_day('max(day)') }} as as_of_day,
        max(event) as as_of_event
    from events
    group by organization
),

first_days as (
    select
        organization,
        min(begins_at) as first_at
    from calendar
    group by organization
)

select
    last_events.organization,
    last_events.as_of_day,
    last_events.as_of_event,
    {{ as_of_moment("last_days.ends_at - interval '1 microsecond'", 'events.occurred_at') }} as as_of_at,
    {{ period_start('last_events.as_of_day', 'thresholds.review_days') }} as period_start,
    coalesce(begins.begins_at, first_days.first_at) as period_start_at,
    events.log_epoch,
    events.hash as head_hash,
    thresholds.dormant_days,
    thresholds.review_days,
    thresholds.grace_days,
    thresholds.rubber_stamp_seconds,
    thresholds.rubber_stamp_least
from last_events
inner join events
    on last_events.organization = events.organization and last_events.as_of_event = events.event
inner join {{ ref('int_settings__thresholds') }} as thresholds
    on last_events.organization = thresholds.organization
left join calendar as last_days
    on last_events.organization = last_days.organization and last_events.as_of_day = last_days.day
left join calendar as begins
    on
        last_events.organization = begins.organization
        and {{ period_start('last_events.as_of_day', 'thresholds.review_days') }} = begins.day
left join first_days
    on last_events.organization = first_days.organization
