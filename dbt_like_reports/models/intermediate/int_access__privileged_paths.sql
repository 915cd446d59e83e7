-- One row for each stretch of time in which a person had a privileged role by a grant: an own one, or one of a team.
-- Whoever has a role twice has it by two paths; taking one away leaves the other.
with grants as (
    select
        versions.organization,
        versions.grant_id,
        versions.holder_kind,
        versions.holder_id,
        versions.role,
        versions.scope_kind,
        versions.scope_id,
        versions.from_event,
        versions.from_at,
        versions.granted_by,
        versions.reason,
        ends.event as until_event,
        ends.occurred_at as until_at
    from {{ ref('stg_scim__grant_versions') }} as versions
    inner join {{ ref('int_log__cuts') }} as cuts
        on versions.organization = cuts.organization and versions.from_event <= cuts.as_of_event
    left join {{ ref('stg_scim__events') }} as ends
        on versions.organization = ends.organization and versions.until_event = ends.event
    where {{ is_privileged('versions.role') }}
),

holders as (
    select
        organization,
        user_id,
        'user' as holder_kind,
        user_id as holder_id,
        from_event,
        from_at,
        until_event,
        until_at
    from {{ ref('int_users__status_spans') }}
    where is_active
    union all
    select
        organization,
        user_id,
        'team' as holder_kind,
        access_id as holder_id,
        from_event,
        from_at,
        until_event,
        until_at
    from {{ ref('int_access__episodes') }}
    where access_kind = 'team'
)

select
    grants.organization,
    holders.user_id,
    grants.grant_id,
    grants.holder_kind,
    grants.holder_id,
    grants.role,
    grants.scope_kind,
    grants.scope_id,
    grants.from_event as granted_event,
    grants.granted_by,
    grants.reason,
    greatest(grants.from_event, holders.from_event) as from_event,
    greatest(grants.from_at, holders.from_at) as from_at,
    least(grants.until_event, holders.until_event) as until_event,
    least(grants.until_at, holders.until_at) as until_at
from grants
inner join holders
    on
        grants.organization = holders.organization
        and grants.holder_kind = holders.holder_kind
        and grants.holder_id = holders.holder_id
        and grants.from_event < coalesce(holders.until_event, grants.from_event + 1)
        and holders.from_event < coalesce(grants.until_event, holders.from_event + 1)
