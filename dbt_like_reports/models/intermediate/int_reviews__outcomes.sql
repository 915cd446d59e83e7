-- One row for each access of a review as it was known at the end of the day: who decided what, and when a revoked
-- access was gone. An access is gone when it ended itself, or with the whole account.
with items as (
    select
        items.*,
        cuts.as_of_at,
        campaigns.closed_at,
        campaigns.population_event
    from {{ ref('stg_scim__review_items') }} as items
    inner join {{ ref('stg_scim__campaigns') }} as campaigns
        on items.organization = campaigns.organization and items.campaign_id = campaigns.campaign_id
    inner join {{ ref('int_log__cuts') }} as cuts
        on items.organization = cuts.organization
    where campaigns.opened_at <= cuts.as_of_at
),

revoked as (
    select * from items where decision = 'revoke'
),

-- Each way in which an access can end is looked up by its own key.
losses as (
    select
        revoked.organization,
        revoked.campaign_id,
        revoked.item_id,
        losses.event,
        losses.ended_at
    from revoked
    inner join {{ ref('int_reviews__losses') }} as losses
        on
            revoked.organization = losses.organization
            and revoked.access_kind = losses.access_kind
            and revoked.access_id = losses.access_id
            and revoked.user_id = coalesce(losses.user_id, revoked.user_id)
            and revoked.population_event < losses.event
    union all
    select
        revoked.organization,
        revoked.campaign_id,
        revoked.item_id,
        losses.event,
        losses.ended_at
    from revoked
    inner join {{ ref('int_reviews__losses') }} as losses
        on
            revoked.organization = losses.organization
            and revoked.user_id = losses.user_id
            and losses.access_kind = 'account'
            and revoked.population_event < losses.event
),

gone as (
    select
        organization,
        campaign_id,
        item_id,
        min(event) as gone_event,
        min(ended_at) as gone_at
    from losses
    group by organization, campaign_id, item_id
)

select
    items.organization,
    items.campaign_id,
    items.item_id,
    items.closed_at,
    items.as_of_at,
    case when items.decided_at <= items.as_of_at then items.decision end as decision,
    case when items.decided_at <= items.as_of_at then items.reason end as reason,
    case when items.decided_at <= items.as_of_at then items.decided_at end as decided_at,
    case when items.decided_at <= items.as_of_at then items.decided_by end as decided_by,
    case when items.applied_at <= items.as_of_at then items.applied_at end as applied_at,
    case when items.applied_at <= items.as_of_at then items.applied_by end as applied_by,
    gone.gone_at,
    gone.gone_event
from items
left join gone
    on
        items.organization = gone.organization
        and items.campaign_id = gone.campaign_id
        and items.item_id = gone.item_id
