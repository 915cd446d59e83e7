-- One row for each change of team, role or job of a person who stayed; for a change of job, the teams of the time
-- before that the person still has at the end of the day.
with changes as (
    select * from {{ ref('stg_scim__access_changes') }} where change in ('mover', 'role_change')
),

kept as (
    select
        changes.organization,
        changes.event,
        string_agg(teams.team_name, ', ' order by teams.team_name) as teams_kept
    from changes
    inner join {{ ref('int_access__episodes') }} as episodes
        on
            changes.organization = episodes.organization
            and changes.user_id = episodes.user_id
            and episodes.access_kind = 'team'
            and episodes.from_event < changes.event
            and episodes.until_event is null
    inner join {{ ref('stg_scim__teams') }} as teams
        on episodes.organization = teams.organization and episodes.access_id = teams.team_id
    where changes.how = 'changed_job'
    group by changes.organization, changes.event
)

select
    changes.organization,
    changes.user_name,
    changes.display_name,
    changes.email,
    changes.department,
    changes.occurred_at as moved_at,
    changes.how,
    changes.detail,
    changes.value_before,
    changes.value_after,
    changes.team_name,
    kept.teams_kept,
    changes.actor,
    changes.identity_provider,
    changes.event,
    changes.user_id
from changes
left join kept
    on changes.organization = kept.organization and changes.event = kept.event
