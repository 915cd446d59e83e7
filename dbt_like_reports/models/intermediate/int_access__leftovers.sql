-- One row for each team and each own grant that stayed with an account which was inactive or gone, and for how long.
with held as (
    select
        organization,
        user_id,
        'team' as access_kind,
        team_id as access_id,
        from_event,
        from_at,
        until_event,
        until_at
    from {{ ref('int_teams__membership_spans') }}
    union all
    select
        grants.organization,
        grants.holder_id as user_id,
        'role' as access_kind,
        grants.role as access_id,
        grants.from_event,
        grants.from_at,
        ends.event as until_event,
        ends.occurred_at as until_at
    from {{ ref('stg_scim__grant_versions') }} as grants
    inner join {{ ref('int_log__cuts') }} as cuts
        on grants.organization = cuts.organization and grants.from_event <= cuts.as_of_event
    left join {{ ref('stg_scim__events') }} as ends
        on grants.organization = ends.organization and grants.until_event = ends.event
    where grants.holder_kind = 'user'
)

select
    absences.organization,
    absences.user_id,
    absences.from_event as absent_event,
    held.access_kind,
    held.access_id,
    greatest(held.from_at, absences.from_at) as from_at,
    least(held.until_at, absences.until_at) as until_at
from {{ ref('int_users__absences') }} as absences
inner join held
    on
        absences.organization = held.organization
        and absences.user_id = held.user_id
        and held.from_event < coalesce(absences.until_event, held.from_event + 1)
        and absences.from_event < coalesce(held.until_event, absences.from_event + 1)
