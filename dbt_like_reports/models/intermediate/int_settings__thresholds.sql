-- One row for each organization: the thresholds of the control tests as they were set at the event that the build stands
-- at. Before the log tells of one, its first value there stands for it; without any, the present one.
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
    where settings.setting_name in ('{{ thresholds() | join("', '") }}')
),

told as (
    select
        organization,
        {% for name in thresholds() -%}
            max(case when setting_name = '{{ name }}' then setting_value end) as {{ name }}{{ "," if not loop.last }}
        {% endfor %}
    from ordered
    where place = 1
    group by organization
)

select
    organizations.organization,
    {% for name in thresholds() -%}
        coalesce(cast(told.{{ name }} as bigint), organizations.{{ name }}) as {{ name }}{{ "," if not loop.last }}
    {% endfor %}
from {{ ref('stg_scim__organizations') }} as organizations
left join told
    on organizations.organization = told.organization
