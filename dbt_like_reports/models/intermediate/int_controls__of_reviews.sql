-- One row for each thing in the period that the control tests of access reviews looked at, with what was wrong.
with cuts as (
    select * from {{ ref('int_log__cuts') }}
),

quality as (
    select * from {{ ref('review_quality') }}
),

decisions as (
    select * from {{ ref('access_review_decisions') }}
),

whole_reviews as (
    select
        cuts.organization,
        cuts.review_days,
        count(quality.campaign_id) as reviews
    from cuts
    left join quality
        on
            cuts.organization = quality.organization
            and quality.review_scope = 'organization'
            and quality.closed_at <= cuts.as_of_at
            and quality.closed_at >= cuts.as_of_at - {{ days('cuts.review_days') }}
    group by cuts.organization, cuts.review_days
),

-- What a review revoked has to be gone when the days of grace after its closing are over.
revoked as (
    select
        decisions.organization,
        decisions.user_id,
        decisions.user_name,
        decisions.access_name,
        decisions.gone_at,
        quality.closed_at + {{ days('cuts.grace_days') }} as due_at
    from decisions
    inner join quality
        on decisions.organization = quality.organization and decisions.campaign_id = quality.campaign_id
    inner join cuts
        on decisions.organization = cuts.organization
    where decisions.decision = 'revoke' and quality.closed_at is not null
)

select
    organization,
    'access_is_reviewed_each_quarter' as test_name,
    organization as subject_id,
    organization as subject_name,
    case
        when reviews = 0
            then
                'no review of the whole organization was closed in the last ' || cast(review_days as text) || ' days'
    end as finding
from whole_reviews
union all
select
    quality.organization,
    'reviews_are_complete' as test_name,
    quality.campaign_id as subject_id,
    quality.campaign_name as subject_name,
    case
        when quality.decided < quality.items
            then
                cast(quality.items - quality.decided as text)
                || ' of '
                || cast(quality.items as text)
                || ' were not decided'
    end as finding
from quality
inner join cuts
    on quality.organization = cuts.organization
where {{ in_period('quality.closed_at') }}
union all
select
    reviewers.organization,
    'reviews_are_not_rubber_stamps' as test_name,
    reviewers.decided_by as subject_id,
    coalesce(names.user_name, reviewers.decided_by) as subject_name,
    case
        when reviewers.is_rubber_stamp
            then
                'kept '
                || cast(reviewers.kept as text)
                || ' accesses of '
                || reviewers.campaign_name
                || ' one after the other at a glance'
    end as finding
from {{ ref('int_reviews__reviewers') }} as reviewers
inner join cuts
    on reviewers.organization = cuts.organization
left join {{ ref('int_users__names') }} as names
    on reviewers.organization = names.organization and reviewers.decided_by = names.user_id
where {{ in_period('reviewers.last_at') }}
union all
select
    decisions.organization,
    'reviewers_are_independent' as test_name,
    decisions.user_id as subject_id,
    decisions.user_name as subject_name,
    case when decisions.decided_by = decisions.user_id then 'decided on their own access' end as finding
from decisions
inner join cuts
    on decisions.organization = cuts.organization
where {{ in_period('decisions.decided_at') }}
union all
select
    revoked.organization,
    'revoked_access_is_gone' as test_name,
    revoked.user_id as subject_id,
    revoked.user_name as subject_name,
    case
        when revoked.gone_at is null then 'still has ' || revoked.access_name || ', which a review revoked'
        when revoked.gone_at > revoked.due_at
            then 'had ' || revoked.access_name || ' too long after a review revoked it'
    end as finding
from revoked
inner join cuts
    on revoked.organization = cuts.organization
where
    revoked.due_at <= cuts.as_of_at
    and (
        revoked.due_at >= cuts.period_start_at
        or coalesce(revoked.gone_at, cuts.as_of_at) >= cuts.period_start_at
    )
