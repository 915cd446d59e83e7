-- One row for each membership there was: who was in which team from when to when, and who put them there.
with memberships as (
    select versions.*
    from {{ ref('stg_scim__membership_versions') }} as versions
    inner join {{ ref('int_log__cuts') }} as cuts
        on versions.organization = cuts.organization and versions.from_event <= cuts.as_of_event
)

select
    memberships.organization,
    memberships.team_id,
    memberships.user_id,
    memberships.from_event,
    memberships.from_at,
    begins.actor as added_by,
    ends.event as until_event,
    ends.occurred_at as until_at,
    ends.actor as removed_by
from memberships
left join {{ ref('stg_scim__events') }} as begins
    on memberships.organization = begins.organization and memberships.from_event = begins.event
left join {{ ref('stg_scim__events') }} as ends
    on memberships.organization = ends.organization and memberships.until_event = ends.event
