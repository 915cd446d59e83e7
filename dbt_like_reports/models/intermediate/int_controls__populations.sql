-- One row for each organization and control test: how many things the test looked at.
with cuts as (
    select * from {{ ref('int_log__cuts') }}
),

counted as (
    select
        leavers.organization,
        'leavers_lose_access_in_time' as test_name,
        count(*) as population
    from {{ ref('leavers') }} as leavers
    inner join cuts
        on leavers.organization = cuts.organization and leavers.left_at >= cuts.period_start
    group by leavers.organization
    union all
    select
        movers.organization,
        'movers_give_up_old_teams' as test_name,
        count(*) as population
    from {{ ref('movers') }} as movers
    inner join cuts
        on movers.organization = cuts.organization and movers.moved_at >= cuts.period_start
    where movers.how = 'changed_job'
    group by movers.organization
    union all
    select
        users.organization,
        tests.test_name,
        count(*) as population
    from {{ ref('stg_scim__users') }} as users
    cross join (
        select 'accounts_come_from_the_identity_provider' as test_name
        union all
        select 'dormant_accounts_are_disabled' as test_name
        union all
        select 'refused_deactivations_are_repaired' as test_name
    ) as tests
    where users.is_active
    group by users.organization, tests.test_name
    union all
    select
        organization,
        'nobody_holds_access_after_leaving' as test_name,
        count(*) as population
    from {{ ref('stg_scim__users') }}
    where not is_active
    group by organization
    union all
    select
        roster.organization,
        tests.test_name,
        count(*) as population
    from {{ ref('privileged_roster') }} as roster
    cross join (
        select 'privileged_access_is_justified' as test_name
        union all
        select 'privileged_access_is_granted_by_others' as test_name
    ) as tests
    group by roster.organization, tests.test_name
    union all
    select
        quality.organization,
        tests.test_name,
        count(*) as population
    from {{ ref('review_quality') }} as quality
    cross join (
        select 'access_is_reviewed_each_quarter' as test_name
        union all
        select 'reviews_are_complete' as test_name
        union all
        select 'reviews_are_not_rubber_stamps' as test_name
    ) as tests
    group by quality.organization, tests.test_name
    union all
    select
        organization,
        'reviewers_are_independent' as test_name,
        count(*) as population
    from {{ ref('access_review_decisions') }}
    group by organization
    union all
    select
        organization,
        'revoked_access_is_gone' as test_name,
        count(*) as population
    from {{ ref('access_review_decisions') }}
    where decision = 'revoke'
    group by organization
    union all
    select
        organization,
        'tokens_are_current' as test_name,
        count(*) as population
    from {{ ref('token_inventory') }}
    where state <> 'revoked'
    group by organization
    union all
    select
        organization,
        'exceptions_are_current' as test_name,
        count(*) as population
    from {{ ref('exceptions') }}
    where state <> 'ended'
    group by organization
    union all
    select
        organization,
        'event_log_is_whole' as test_name,
        count(*) as population
    from {{ ref('stg_scim__events') }}
    group by organization
)

select
    organization,
    test_name,
    population
from counted
