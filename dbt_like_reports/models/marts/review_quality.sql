-- One row for each access review: how much of it was decided, by whom and how fast, and what is still open.
with decisions as (
    select
        *,
        {{ seconds_between(
            'lag(decided_at) over (partition by organization, campaign_id, decided_by order by decided_at, item_id)',
            'decided_at'
        ) }} as pace_seconds
    from {{ ref('access_review_decisions') }}
),

counted as (
    select
        organization,
        campaign_id,
        count(*) as items,
        count(decided_at) as decided,
        count(case when decision = 'keep' then 1 end) as kept,
        count(case when decision = 'revoke' then 1 end) as revoked,
        count(case when outcome = 'open' then 1 end) as revocations_open,
        count(case when decided_by = user_id or reviewer_id = user_id then 1 end) as self_reviews,
        count(distinct decided_by) as reviewers,
        cast(percentile_cont(0.5) within group (order by pace_seconds) as double precision) as median_pace_seconds,
        max(gone_event) as last_gone_event
    from decisions
    group by organization, campaign_id
),

closings as (
    select
        organization,
        subject_id as campaign_id,
        max(event) as closed_event
    from {{ ref('stg_scim__events') }}
    where event_type = 'campaign.closed'
    group by organization, subject_id
),

stamps as (
    select
        organization,
        campaign_id,
        count(*) as reviewers
    from {{ ref('int_reviews__reviewers') }}
    where is_rubber_stamp
    group by organization, campaign_id
)

select
    campaigns.organization,
    campaigns.campaign_name,
    campaigns.review_scope,
    campaigns.opened_at,
    campaigns.opened_by,
    campaigns.due_at,
    case when campaigns.closed_at <= cuts.as_of_at then campaigns.closed_at end as closed_at,
    coalesce(counted.items, 0) as items,
    coalesce(counted.decided, 0) as decided,
    cast(100.0 * counted.decided / nullif(counted.items, 0) as double precision) as coverage_percent,
    coalesce(counted.kept, 0) as kept,
    coalesce(counted.revoked, 0) as revoked,
    coalesce(counted.revocations_open, 0) as revocations_open,
    coalesce(counted.self_reviews, 0) as self_reviews,
    coalesce(counted.reviewers, 0) as reviewers,
    counted.median_pace_seconds,
    coalesce(stamps.reviewers, 0) > 0 as is_rubber_stamped,
    campaigns.population_event,
    campaigns.population_sha256,
    case
        when closings.closed_event is not null then greatest(closings.closed_event, counted.last_gone_event)
    end as stands_at_event,
    campaigns.campaign_id
from {{ ref('stg_scim__campaigns') }} as campaigns
inner join {{ ref('int_log__cuts') }} as cuts
    on campaigns.organization = cuts.organization and campaigns.opened_at <= cuts.as_of_at
left join counted
    on campaigns.organization = counted.organization and campaigns.campaign_id = counted.campaign_id
left join closings
    on campaigns.organization = closings.organization and campaigns.campaign_id = closings.campaign_id
left join stamps
    on campaigns.organization = stamps.organization and campaigns.campaign_id = stamps.campaign_id
