-- One row for each organization: the event at which this build stands, its moment and its hash, and the first day of
-- the period that the controls are tested over.
with events as (
    select * from {{ ref('stg_scim__events') }}
),

last_events as (
    select
        organization,
        {{ as_of_day('max(day)') }} as as_of_day,
        max(event) as as_of_event
    from events
    group by organization
)

select
    last_events.organization,
    last_events.as_of_day,
    last_events.as_of_event,
    events.occurred_at as as_of_at,
    {{ period_start('last_events.as_of_day') }} as period_start,
    events.log_epoch,
    events.hash as head_hash
from last_events
inner join events
    on last_events.organization = events.organization and last_events.as_of_event = events.event
