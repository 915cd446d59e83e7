-- One row for each membership at the end of the day, of active and of inactive accounts.
select
    members.organization,
    teams.team_name,
    users.user_name,
    users.display_name,
    users.department,
    users.is_active,
    members.member_since,
    teams.origin as team_origin,
    members.as_of_day,
    members.team_id,
    members.user_id
from {{ ref('stg_scim__team_members') }} as members
inner join {{ ref('stg_scim__teams') }} as teams
    on members.organization = teams.organization and members.team_id = teams.team_id
inner join {{ ref('stg_scim__users') }} as users
    on members.organization = users.organization and members.user_id = users.user_id
