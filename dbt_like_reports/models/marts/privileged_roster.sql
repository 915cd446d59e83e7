-- One row for each privileged role that a person has, with the grant behind it: why, since when, by whom.
with access as (
    select * from {{ ref('stg_scim__effective_access') }} where is_privileged
),

team_grants as (
    select
        members.organization,
        members.user_id,
        grants.grant_id,
        grants.holder_id,
        grants.role,
        grants.scope_kind,
        grants.scope_id,
        greatest(grants.granted_at, members.member_since) as held_since,
        grants.granted_by,
        grants.reason
    from {{ ref('stg_scim__role_grants') }} as grants
    inner join {{ ref('stg_scim__team_members') }} as members
        on grants.organization = members.organization and grants.holder_id = members.team_id
    where grants.holder_kind = 'team'
),

own_grants as (
    select
        organization,
        holder_id as user_id,
        grant_id,
        holder_id,
        role,
        scope_kind,
        scope_id,
        granted_at as held_since,
        granted_by,
        reason
    from {{ ref('stg_scim__role_grants') }}
    where holder_kind = 'user'
),

grants as (
    select * from own_grants
    union all
    select * from team_grants
)

select
    access.organization,
    access.user_name,
    users.display_name,
    users.department,
    users.user_type,
    access.role,
    access.scope_kind,
    access.scope_name,
    access.source,
    access.source_name,
    grants.held_since,
    grants.granted_by,
    grants.reason,
    coalesce(grants.reason, '') <> '' as is_justified,
    access.user_id,
    grants.grant_id
from access
inner join {{ ref('stg_scim__users') }} as users
    on access.organization = users.organization and access.user_id = users.user_id and users.is_active
left join grants
    on
        access.organization = grants.organization
        and access.user_id = grants.user_id
        and access.source_id = grants.holder_id
        and access.role = grants.role
        and access.scope_kind = grants.scope_kind
        and coalesce(access.scope_id, '') = coalesce(grants.scope_id, '')
