-- One row for each leaver: the seconds within which access had to end, as they were set when it ended. Where the log
-- tells of no agreement, it is the present one.
select
    leavers.organization,
    leavers.event,
    coalesce(cast(settings.setting_value as bigint), organizations.sla_seconds) as sla_seconds
from {{ ref('stg_scim__leavers') }} as leavers
inner join {{ ref('stg_scim__organizations') }} as organizations
    on leavers.organization = organizations.organization
left join {{ ref('stg_scim__setting_versions') }} as settings
    on
        leavers.organization = settings.organization
        and settings.setting_name = 'deprovision_sla_seconds'
        and leavers.event >= settings.from_event
        and leavers.event < coalesce(settings.until_event, leavers.event + 1)
