{{ config(meta={'dagster': {'ref': {'name': 'privileged_roster'}}}) }}
-- The roles on the organization, computed here from grants and memberships, are those of the effective access: two
-- ways to one figure.
with holders as (
    select
        organization,
        holder_id as user_id,
        role
    from {{ ref('stg_scim__role_grants') }}
    where scope_kind = 'organization' and holder_kind = 'user'
    union all
    select
        grants.organization,
        members.user_id,
        grants.role
    from {{ ref('stg_scim__role_grants') }} as grants
    inner join {{ ref('stg_scim__team_members') }} as members
        on grants.organization = members.organization and grants.holder_id = members.team_id
    where grants.scope_kind = 'organization' and grants.holder_kind = 'team'
),

held as (
    select
        organization,
        user_id,
        min({{ role_rank('role') }}) as granted_rank
    from holders
    group by organization, user_id
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
