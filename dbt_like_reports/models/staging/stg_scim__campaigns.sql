-- The access reviews that were opened up to the end of the day.
select
    org as organization,
    campaign_id,
    name as campaign_name,
    scope as review_scope,
    opened_at,
    opened_by,
    due_at,
    as_of_event as population_event,
    items as population_items,
    population_sha256,
    closed_at,
    closed_by
from {{ source('identity', 'campaigns') }}
