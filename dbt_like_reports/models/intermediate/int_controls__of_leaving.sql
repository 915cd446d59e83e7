-- One row for each thing in the period that the control tests of leaving and moving looked at, with what was wrong.
with cuts as (
    select * from {{ ref('int_log__cuts') }}
),

names as (
    select * from {{ ref('int_users__names') }}
),

still_active as (
    select * from {{ ref('int_users__status_spans') }} where is_active and until_event is null
),

leftovers as (
    select
        leftovers.organization,
        leftovers.user_id,
        leftovers.absent_event,
        count(case when leftovers.until_at is null then 1 end) as still_held,
        max({{ days_between('leftovers.from_at', 'coalesce(leftovers.until_at, cuts.as_of_at)') }}) as days_held
    from {{ ref('int_access__leftovers') }} as leftovers
    inner join cuts
        on leftovers.organization = cuts.organization
    where
        {{ touches_period('leftovers.from_at', 'leftovers.until_at') }}
        and (
            {{ days_between('leftovers.from_at', 'coalesce(leftovers.until_at, cuts.as_of_at)') }}
            >= cuts.grace_days
            or (leftovers.access_kind = 'role' and leftovers.until_at is null)
        )
    group by leftovers.organization, leftovers.user_id, leftovers.absent_event
),

asked as (
    select
        requests.organization,
        requests.user_id,
        count(case when requests.event > still_active.from_event then 1 end) as unanswered
    from {{ ref('int_leavers__refused_requests') }} as requests
    inner join cuts
        on requests.organization = cuts.organization and requests.occurred_at <= cuts.as_of_at
    left join still_active
        on requests.organization = still_active.organization and requests.user_id = still_active.user_id
    where requests.occurred_at >= cuts.period_start_at or requests.event > still_active.from_event
    group by requests.organization, requests.user_id
),

-- Who keeps the teams of an old job has days of grace; a move belongs to the period in which these are over.
moves as (
    select
        movers.organization,
        movers.event,
        movers.user_id,
        movers.user_name,
        movers.moved_at + {{ days('cuts.grace_days') }} as due_at
    from {{ ref('movers') }} as movers
    inner join cuts
        on movers.organization = cuts.organization
    where
        movers.how = 'changed_job'
        and {{ in_period('movers.moved_at + ' ~ days('cuts.grace_days')) }}
),

kept as (
    select
        moves.organization,
        moves.event,
        string_agg(distinct teams.team_name, ', ' order by teams.team_name) as teams_kept
    from moves
    inner join {{ ref('int_access__episodes') }} as episodes
        on
            moves.organization = episodes.organization
            and moves.user_id = episodes.user_id
            and episodes.access_kind = 'team'
            and moves.event > episodes.from_event
            and (episodes.until_at is null or episodes.until_at > moves.due_at)
    inner join {{ ref('stg_scim__team_versions') }} as teams
        on
            moves.organization = teams.organization
            and episodes.access_id = teams.team_id
            and moves.event >= teams.from_event
            and moves.event < coalesce(teams.until_event, moves.event + 1)
    group by moves.organization, moves.event
)

select
    leavers.organization,
    'leavers_lose_access_in_time' as test_name,
    leavers.user_id as subject_id,
    leavers.user_name as subject_name,
    case
        when not leavers.is_within_sla
            then
                concat(
                    'access ended ',
                    cast(floor(leavers.latency_seconds / 3600.0) as bigint),
                    ' hours after it was asked for'
                )
    end as finding
from {{ ref('leavers') }} as leavers
inner join cuts
    on leavers.organization = cuts.organization
where {{ in_period('leavers.left_at') }}
union all
select
    absences.organization,
    'nobody_holds_access_after_leaving' as test_name,
    absences.user_id as subject_id,
    names.user_name as subject_name,
    case
        when leftovers.still_held > 0
            then 'left ' || cast(leftovers.days_held as text) || ' days ago and still has access recorded'
        when leftovers.days_held is not null
            then 'had access recorded for ' || cast(leftovers.days_held as text) || ' days after leaving'
    end as finding
from {{ ref('int_users__absences') }} as absences
inner join cuts
    on absences.organization = cuts.organization
inner join names
    on absences.organization = names.organization and absences.user_id = names.user_id
left join leftovers
    on
        absences.organization = leftovers.organization
        and absences.user_id = leftovers.user_id
        and absences.from_event = leftovers.absent_event
where {{ touches_period('absences.from_at', 'absences.until_at') }}
union all
select
    asked.organization,
    'refused_deactivations_are_repaired' as test_name,
    asked.user_id as subject_id,
    names.user_name as subject_name,
    case
        when asked.unanswered > 0 then 'the identity provider asked to end this access and was refused'
    end as finding
from asked
inner join names
    on asked.organization = names.organization and asked.user_id = names.user_id
union all
select
    moves.organization,
    'movers_give_up_old_teams' as test_name,
    moves.user_id as subject_id,
    moves.user_name as subject_name,
    'changed job and kept ' || kept.teams_kept as finding
from moves
left join kept
    on moves.organization = kept.organization and moves.event = kept.event
