{{ config(meta={'dagster': {'ref': {'name': 'access_review_population'}}}) }}
-- Nobody who lost access, and has not come back, may be among those whose access is reviewed.
select leavers.user_id
from {{ ref('leavers') }} as leavers
inner join {{ ref('access_review_population') }} as population
    on leavers.organization = population.organization and leavers.user_id = population.user_id
where leavers.returned_at is null
