-- One row for each access that a reviewer has to confirm: an active account in a team, or in none.
select
    users.organization,
    users.user_name,
    users.display_name,
    users.email,
    users.title,
    users.department,
    teams.team_name,
    members.member_since,
    users.created_at as provisioned_at,
    users.origin,
    users.as_of_day,
    users.as_of_event,
    users.user_id,
    teams.team_id
from {{ ref('stg_scim__users') }} as users
left join {{ ref('stg_scim__team_members') }} as members
    on users.organization = members.organization and users.user_id = members.user_id
left join {{ ref('stg_scim__teams') }} as teams
    on members.organization = teams.organization and members.team_id = teams.team_id
where users.is_active
order by users.organization, users.user_name, teams.team_name
