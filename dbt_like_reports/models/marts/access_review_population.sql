-- One row for each access that a reviewer has to confirm: each team and each own role of an active account; an
-- account with neither is one row too.
with users as (
    select * from {{ ref('stg_scim__users') }} where is_active
),

held as (
    select
        members.organization,
        members.user_id,
        'team' as access_kind,
        members.team_id,
        teams.team_name,
        cast(null as text) as grant_id,
        cast(null as text) as granted_role,
        cast(null as text) as scope_name,
        members.member_since
    from {{ ref('stg_scim__team_members') }} as members
    inner join {{ ref('stg_scim__teams') }} as teams
        on members.organization = teams.organization and members.team_id = teams.team_id
    union all
    select
        organization,
        holder_id as user_id,
        'role' as access_kind,
        cast(null as text) as team_id,
        cast(null as text) as team_name,
        grant_id,
        role as granted_role,
        scope_name,
        granted_at as member_since
    from {{ ref('stg_scim__role_grants') }}
    where holder_kind = 'user'
)

select
    users.organization,
    users.user_name,
    users.display_name,
    users.email,
    users.title,
    users.department,
    users.user_type,
    managers.user_name as manager,
    coalesce(held.access_kind, 'account') as access_kind,
    held.team_name,
    held.granted_role,
    held.scope_name,
    held.member_since,
    roles.effective_role,
    coalesce(roles.is_privileged, false) as is_privileged,
    roles.role_source,
    roles.role_source_name,
    users.created_at as provisioned_at,
    users.updated_at as last_changed_at,
    users.origin,
    users.identity_provider,
    users.external_id,
    users.as_of_day,
    users.as_of_event,
    users.user_id,
    held.team_id,
    held.grant_id
from users
left join held
    on users.organization = held.organization and users.user_id = held.user_id
left join {{ ref('int_access__effective_roles') }} as roles
    on users.organization = roles.organization and users.user_id = roles.user_id
left join {{ ref('stg_scim__users') }} as managers
    on users.organization = managers.organization and users.manager_id = managers.user_id
