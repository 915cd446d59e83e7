-- One row for each organization: the thresholds of the control tests as they were set at the event that the build
-- stands at. Before the log tells of one, its first value there stands for it; without any, the present one.
with last_events as (
    select
        organization,
        max(event) as as_of_event
    from {{ ref('stg_scim__events') }}
    group by organization
),

ordered as (
    select
        last_events.organization,
        settings.setting_name,
        settings.setting_value,
        row_number() over (
            partition by last_events.organization, settings.setting_name
            order by
                settings.from_event > last_events.as_of_event,
                abs(settings.from_event - last_events.as_of_event)
        ) as place
    from last_events
    inner join {{ ref('stg_scim__setting_versions') }} as settings
        on last_events.organization = settings.organization
    where settings.setting_name in ({{ "'" ~ thresholds() | join("', '") ~ "'" }})
),

told as (
    select
        organization,
        max(case when setting_name = 'dormant_days' then setting_value end) as dormant_days,
        max(case when setting_name = 'review_days' then setting_value end) as review_days,
        max(case when setting_name = 'grace_days' then setting_value end) as grace_days,
        max(case when setting_name = 'rubber_stamp_seconds' then setting_value end) as rubber_stamp_seconds,
        max(case when setting_name = 'rubber_stamp_least' then setting_value end) as rubber_stamp_least
    from ordered
    where place = 1
    group by organization
)

select
    organizations.organization,
    coalesce(cast(told.dormant_days as bigint), organizations.dormant_days) as dormant_days,
    coalesce(cast(told.review_days as bigint), organizations.review_days) as review_days,
    coalesce(cast(told.grace_days as bigint), organizations.grace_days) as grace_days,
    coalesce(cast(told.rubber_stamp_seconds as bigint), organizations.rubber_stamp_seconds) as rubber_stamp_seconds,
    coalesce(cast(told.rubber_stamp_least as bigint), organizations.rubber_stamp_least) as rubber_stamp_least
from {{ ref('stg_scim__organizations') }} as organizations
left join told
    on organizations.organization = told.organization
