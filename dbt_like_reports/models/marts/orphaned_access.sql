-- One row for each access at the end of the day that nobody should hold any more, or that nobody answers for.
with inactive as (
    select * from {{ ref('stg_scim__users') }} where not is_active
),

grants as (
    select * from {{ ref('stg_scim__role_grants') }}
),

owned as (
    select distinct
        owners.organization,
        owners.team_id
    from {{ ref('stg_scim__owner_versions') }} as owners
    inner join {{ ref('int_log__cuts') }} as cuts
        on owners.organization = cuts.organization
    inner join {{ ref('stg_scim__users') }} as users
        on owners.organization = users.organization and owners.user_id = users.user_id and users.is_active
    where
        owners.from_event <= cuts.as_of_event
        and (owners.until_event is null or owners.until_event > cuts.as_of_event)
),

found as (
    select
        members.organization,
        'inactive_member' as finding,
        inactive.user_id as subject_id,
        inactive.user_name as subject_name,
        teams.team_name as access_name,
        cast(null as text) as role,
        inactive.deactivated_at as since
    from {{ ref('stg_scim__team_members') }} as members
    inner join inactive
        on members.organization = inactive.organization and members.user_id = inactive.user_id
    inner join {{ ref('stg_scim__teams') }} as teams
        on members.organization = teams.organization and members.team_id = teams.team_id
    union all
    select
        grants.organization,
        'inactive_holder' as finding,
        grants.holder_id as subject_id,
        coalesce(users.user_name, grants.holder_name, grants.holder_id) as subject_name,
        coalesce(grants.scope_name, grants.scope_kind) as access_name,
        grants.role,
        coalesce(users.deactivated_at, grants.granted_at) as since
    from grants
    left join {{ ref('stg_scim__users') }} as users
        on grants.organization = users.organization and grants.holder_id = users.user_id
    where
        grants.holder_kind = 'user'
        and not coalesce(users.is_active, false)
    union all
    select
        teams.organization,
        'team_without_owner' as finding,
        teams.team_id as subject_id,
        teams.team_name as subject_name,
        teams.team_name as access_name,
        cast(null as text) as role,
        cast(null as timestamp) as since
    from {{ ref('stg_scim__teams') }} as teams
    left join owned
        on teams.organization = owned.organization and teams.team_id = owned.team_id
    where owned.team_id is null
)

select
    found.organization,
    found.finding,
    found.subject_name,
    found.access_name,
    found.role,
    found.since,
    {{ days_between('found.since', 'cuts.as_of_at') }} as days_since,
    found.subject_id
from found
inner join {{ ref('int_log__cuts') }} as cuts
    on found.organization = cuts.organization
