-- One row for each privileged path that the person made: by granting the role to themselves or to their own team, or by
-- joining the team. Who acted is known by id; an API key, whose id the log has behind the word `key`, acts for the
-- person who made it. Older events name the person as the account was called then.
with paths as (
    select * from {{ ref('int_access__privileged_paths') }}
),

keys as (
    select
        organization,
        'key ' || subject_id as key_actor,
        actor as owner
    from {{ ref('stg_scim__events') }}
    where event_type = 'api_key.created'
),

acts as (
    select
        organization,
        user_id,
        grant_id,
        from_event,
        granted_event as event,
        granted_by as actor
    from paths
    union all
    select
        paths.organization,
        paths.user_id,
        paths.grant_id,
        paths.from_event,
        memberships.from_event as event,
        memberships.added_by as actor
    from paths
    inner join {{ ref('int_teams__membership_spans') }} as memberships
        on
            paths.organization = memberships.organization
            and paths.user_id = memberships.user_id
            and paths.holder_id = memberships.team_id
            and paths.from_event >= memberships.from_event
            and paths.from_event < coalesce(memberships.until_event, paths.from_event + 1)
    where paths.holder_kind = 'team'
),

persons as (
    select
        acts.*,
        coalesce(keys.owner, acts.actor) as person
    from acts
    left join keys
        on acts.organization = keys.organization and acts.actor = keys.key_actor
)

select distinct
    persons.organization,
    persons.user_id,
    persons.grant_id,
    persons.from_event
from persons
left join {{ ref('stg_scim__user_versions') }} as called
    on
        persons.organization = called.organization
        and persons.user_id = called.user_id
        and persons.event >= called.from_event
        and persons.event < coalesce(called.until_event, persons.event + 1)
where persons.person = persons.user_id or lower(persons.person) = lower(called.user_name)
