-- One row for each stretch of time in which a person really had an access: the account itself, or a team.
-- A membership gives access while the account is active; what is recorded of an inactive account gives none.
with active_spans as (
    select * from {{ ref('int_users__status_spans') }} where is_active
),

team_episodes as (
    select
        memberships.organization,
        memberships.user_id,
        'team' as access_kind,
        memberships.team_id as access_id,
        greatest(memberships.from_event, active_spans.from_event) as from_event,
        greatest(memberships.from_at, active_spans.from_at) as from_at,
        least(memberships.until_event, active_spans.until_event) as until_event,
        least(memberships.until_at, active_spans.until_at) as until_at
    from {{ ref('int_teams__membership_spans') }} as memberships
    inner join active_spans
        on
            memberships.organization = active_spans.organization
            and memberships.user_id = active_spans.user_id
            and memberships.from_event < coalesce(active_spans.until_event, memberships.from_event + 1)
            and active_spans.from_event < coalesce(memberships.until_event, active_spans.from_event + 1)
)

select
    organization,
    user_id,
    'account' as access_kind,
    user_id as access_id,
    from_event,
    from_at,
    until_event,
    until_at
from active_spans
union all
select
    organization,
    user_id,
    access_kind,
    access_id,
    from_event,
    from_at,
    until_event,
    until_at
from team_episodes
