-- One row for each path by which a person has a privileged role at the end of the day: each grant, own or of a team,
-- and the default role where that is privileged. Whoever has a role by two paths is there twice.
with users as (
    select * from {{ ref('stg_scim__users') }} where is_active
),

paths as (
    select
        paths.organization,
        paths.user_id,
        paths.role,
        paths.scope_kind,
        grants.scope_name,
        paths.holder_kind as source,
        grants.holder_name as source_name,
        paths.from_at as held_since,
        paths.granted_by,
        paths.reason,
        paths.grant_id
    from {{ ref('int_access__privileged_paths') }} as paths
    inner join {{ ref('stg_scim__role_grants') }} as grants
        on
            paths.organization = grants.organization
            and paths.grant_id = grants.grant_id
            and grants.scope_name is not null
    where paths.until_event is null
    union all
    select
        organization,
        user_id,
        role,
        scope_kind,
        scope_name,
        source,
        source_name,
        cast(null as timestamp) as held_since,
        cast(null as text) as granted_by,
        cast(null as text) as reason,
        cast(null as text) as grant_id
    from {{ ref('stg_scim__effective_access') }}
    where is_privileged and source = 'default'
)

select
    paths.organization,
    users.user_name,
    users.display_name,
    users.department,
    users.user_type,
    paths.role,
    paths.scope_kind,
    paths.scope_name,
    paths.source,
    paths.source_name,
    paths.held_since,
    paths.granted_by,
    paths.reason,
    coalesce(trim(paths.reason), '') <> '' as is_justified,
    paths.user_id,
    paths.grant_id
from paths
inner join users
    on paths.organization = users.organization and paths.user_id = users.user_id
