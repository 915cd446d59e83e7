-- One row for each thing that a control test found wrong: whom or what, and in which words.
with cuts as (
    select * from {{ ref('int_log__cuts') }}
),

roster as (
    select * from {{ ref('privileged_roster') }}
),

decisions as (
    select * from {{ ref('access_review_decisions') }}
),

quality as (
    select * from {{ ref('review_quality') }}
)

select
    leavers.organization,
    'leavers_lose_access_in_time' as test_name,
    leavers.user_id as subject_id,
    leavers.user_name as subject_name,
    concat(
        'access ended ', cast(floor(leavers.latency_seconds / 3600.0) as bigint), ' hours after it was asked for'
    ) as finding
from {{ ref('leavers') }} as leavers
inner join cuts
    on leavers.organization = cuts.organization and leavers.left_at >= cuts.period_start
where not leavers.is_within_sla
union all
select
    organization,
    'nobody_holds_access_after_leaving' as test_name,
    subject_id,
    subject_name,
    'left ' || cast(days_since as text) || ' days ago and is still listed with ' || access_name as finding
from {{ ref('orphaned_access') }}
where
    finding = 'inactive_holder'
    or (finding = 'inactive_member' and days_since >= {{ var('grace_days') }})
union all
select distinct
    requests.organization,
    'refused_deactivations_are_repaired' as test_name,
    users.user_id as subject_id,
    users.user_name as subject_name,
    'the identity provider asked to end this access and was refused' as finding
from {{ ref('int_leavers__refused_requests') }} as requests
inner join {{ ref('stg_scim__users') }} as users
    on requests.organization = users.organization and requests.user_id = users.user_id and users.is_active
inner join {{ ref('int_users__status_spans') }} as spans
    on
        requests.organization = spans.organization
        and requests.user_id = spans.user_id
        and spans.is_active
        and spans.until_event is null
        and requests.event > spans.from_event
union all
select
    movers.organization,
    'movers_give_up_old_teams' as test_name,
    movers.user_id as subject_id,
    movers.user_name as subject_name,
    'changed job and kept ' || movers.teams_kept as finding
from {{ ref('movers') }} as movers
inner join cuts
    on
        movers.organization = cuts.organization
        and movers.moved_at >= cuts.period_start
        and movers.moved_at < cuts.as_of_at - interval '{{ var("grace_days") }} days'
where movers.how = 'changed_job' and movers.teams_kept is not null
union all
select
    organization,
    'accounts_come_from_the_identity_provider' as test_name,
    user_id as subject_id,
    user_name as subject_name,
    'exists only here: nobody provisions it, nobody will deprovision it' as finding
from {{ ref('stg_scim__users') }}
where is_active and origin <> 'scim'
union all
select
    organization,
    'dormant_accounts_are_disabled' as test_name,
    user_id as subject_id,
    user_name as subject_name,
    'idle for ' || cast(idle_days as text) || ' days' as finding
from {{ ref('dormant_accounts') }}
union all
select
    organization,
    'privileged_access_is_justified' as test_name,
    user_id as subject_id,
    user_name as subject_name,
    role || ' on ' || coalesce(scope_name, scope_kind) || ' without a reason' as finding
from roster
where not is_justified
union all
select
    organization,
    'privileged_access_is_granted_by_others' as test_name,
    user_id as subject_id,
    user_name as subject_name,
    'granted ' || role || ' to themselves' as finding
from roster
where granted_by = user_id
union all
select
    cuts.organization,
    'access_is_reviewed_each_quarter' as test_name,
    cuts.organization as subject_id,
    cuts.organization as subject_name,
    'no review of the whole organization was closed in the last {{ var("review_days") }} days' as finding
from cuts
left join quality
    on
        cuts.organization = quality.organization
        and quality.review_scope = 'organization'
        and quality.closed_at <= cuts.as_of_at
        and quality.closed_at >= cuts.as_of_at - interval '{{ var("review_days") }} days'
group by cuts.organization
having count(quality.campaign_id) = 0
union all
select
    organization,
    'reviews_are_complete' as test_name,
    campaign_id as subject_id,
    campaign_name as subject_name,
    cast(items - decided as text) || ' of ' || cast(items as text) || ' were not decided' as finding
from quality
where closed_at is not null and decided < items
union all
select
    organization,
    'reviews_are_not_rubber_stamps' as test_name,
    campaign_id as subject_id,
    campaign_name as subject_name,
    'everything was kept, one after the other at a glance' as finding
from quality
where is_rubber_stamped
union all
select distinct
    organization,
    'reviewers_are_independent' as test_name,
    user_id as subject_id,
    user_name as subject_name,
    'decided on their own access' as finding
from decisions
where decided_by = user_id
union all
select
    decisions.organization,
    'revoked_access_is_gone' as test_name,
    decisions.user_id as subject_id,
    decisions.user_name as subject_name,
    'still has ' || decisions.access_name || ', which a review revoked' as finding
from decisions
inner join quality
    on decisions.organization = quality.organization and decisions.campaign_id = quality.campaign_id
inner join cuts
    on
        decisions.organization = cuts.organization
        and quality.closed_at < cuts.as_of_at - interval '{{ var("grace_days") }} days'
where decisions.outcome = 'open'
union all
select
    organization,
    'tokens_are_current' as test_name,
    token_id as subject_id,
    coalesce(nullif(description, ''), token_id) as subject_name,
    case
        when state = 'expired' then 'expired and not revoked'
        else 'live and not used for ' || cast(idle_days as text) || ' days'
    end as finding
from {{ ref('token_inventory') }}
where state = 'expired' or (state = 'live' and idle_days >= {{ var('dormant_days') }})
union all
select
    organization,
    'exceptions_are_current' as test_name,
    exception_id as subject_id,
    subject_name,
    case
        when state = 'expired' then 'ran out on ' || cast(cast(expires_at as date) as text)
        else 'approved by the one who asked for it'
    end as finding
from {{ ref('exceptions') }}
where state = 'expired' or (state = 'live' and not is_independent)
union all
select
    organization,
    'event_log_is_whole' as test_name,
    cast(event as text) as subject_id,
    'event ' || cast(event as text) as subject_name,
    'does not follow the event before it' as finding
from {{ ref('int_log__breaks') }}
