-- Every access that an access review asked for, and what was decided.
select
    org as organization,
    campaign_id,
    item_id,
    user_id,
    user_name,
    display_name,
    access_kind,
    access_id,
    access_name,
    role,
    managed_by,
    privileged as is_privileged,
    reviewer_id,
    reviewer_name,
    decision,
    reason,
    decided_at,
    decided_by,
    applied_at,
    applied_by,
    task
from {{ source('identity', 'review_items') }}
