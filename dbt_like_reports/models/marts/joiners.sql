-- One row for each time a person gained access, for the first time or again.
with changes as (
    select * from {{ ref('stg_scim__access_changes') }} where change = 'joiner'
),

returns as (
    select distinct
        changes.organization,
        changes.event
    from changes
    inner join {{ ref('stg_scim__leavers') }} as earlier
        on
            changes.organization = earlier.organization
            and changes.user_id = earlier.user_id
            and changes.event > earlier.event
),

first_teams as (
    select
        changes.organization,
        changes.event,
        min(episodes.from_at) as first_team_at
    from changes
    inner join {{ ref('int_access__episodes') }} as episodes
        on
            changes.organization = episodes.organization
            and changes.user_id = episodes.user_id
            and episodes.access_kind = 'team'
            and changes.event <= episodes.from_event
    group by changes.organization, changes.event
)

select
    changes.organization,
    changes.user_name,
    changes.display_name,
    changes.email,
    changes.department,
    changes.occurred_at as joined_at,
    changes.how,
    returns.event is not null as is_return,
    first_teams.first_team_at,
    changes.actor,
    changes.identity_provider,
    changes.event,
    changes.user_id
from changes
left join returns
    on changes.organization = returns.organization and changes.event = returns.event
left join first_teams
    on changes.organization = first_teams.organization and changes.event = first_teams.event
