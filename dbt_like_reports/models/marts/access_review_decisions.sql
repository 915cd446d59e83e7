-- One row for each access that an access review asked for: who was to decide, what was decided and why, and whether
-- a revoked access is really gone.
select
    items.organization,
    campaigns.campaign_name,
    campaigns.opened_at,
    campaigns.due_at,
    items.user_name,
    items.display_name,
    items.access_kind,
    items.access_name,
    items.role,
    items.is_privileged,
    items.managed_by,
    items.reviewer_name,
    coalesce(outcomes.decision, 'not_reviewed') as decision,
    outcomes.reason,
    outcomes.decided_by,
    outcomes.decided_at,
    outcomes.applied_by,
    outcomes.applied_at,
    outcomes.gone_at,
    outcomes.gone_event,
    case
        when outcomes.decision is null then 'not_reviewed'
        when outcomes.decision = 'keep' then 'kept'
        when outcomes.gone_at is not null then 'gone'
        else 'open'
    end as outcome,
    items.task,
    items.user_id,
    items.access_id,
    items.reviewer_id,
    items.campaign_id,
    items.item_id
from {{ ref('stg_scim__review_items') }} as items
inner join {{ ref('int_reviews__outcomes') }} as outcomes
    on
        items.organization = outcomes.organization
        and items.campaign_id = outcomes.campaign_id
        and items.item_id = outcomes.item_id
inner join {{ ref('stg_scim__campaigns') }} as campaigns
    on items.organization = campaigns.organization and items.campaign_id = campaigns.campaign_id
