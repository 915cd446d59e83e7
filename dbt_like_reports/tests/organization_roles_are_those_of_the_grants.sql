{{ config(meta={'dagster': {'ref': {'name': 'privileged_roster'}}}) }}
-- The roles on the organization, computed here from grants and memberships, are those of the effective access: two
-- ways to one figure.
with held as (
    select
        users.organization,
        users.user_id,
        min({{ role_rank('grants.role') }}) as granted_rank
    from {{ ref('stg_scim__users') }} as users
    inner join {{ ref('stg_scim__role_grants') }} as grants
        on users.organization = grants.organization and grants.scope_kind = 'organization'
    left join {{ ref('stg_scim__team_members') }} as members
        on
            users.organization = members.organization
            and users.user_id = members.user_id
            and grants.holder_id = members.team_id
    where
        users.is_active
        and (grants.holder_id = users.user_id or members.team_id is not null)
    group by users.organization, users.user_id
),

told as (
    select
        organization,
        user_id,
        {{ role_rank('role') }} as told_rank
    from {{ ref('stg_scim__effective_access') }}
    where scope_kind = 'organization'
)

select
    told.organization,
    told.user_id
from told
left join held
    on told.organization = held.organization and told.user_id = held.user_id
where told.told_rank > coalesce(held.granted_rank, told.told_rank)
