-- One row for each SCIM token there has been, with its age and state at the end of the day. The last use is told by the
-- token itself, or by the last event that it wrote: whatever is known of that day.
with written as (
    select
        organization,
        actor as token_id,
        max(occurred_at) as last_event_at
    from {{ ref('stg_scim__events') }}
    where identity_provider is not null
    group by organization, actor
),

tokens as (
    select
        tokens.*,
        cuts.as_of_at,
        greatest(tokens.last_used_at, written.last_event_at) as last_seen_at
    from {{ ref('stg_scim__tokens') }} as tokens
    inner join {{ ref('int_log__cuts') }} as cuts
        on tokens.organization = cuts.organization
    left join written
        on tokens.organization = written.organization and tokens.token_id = written.token_id
)

select
    organization,
    token_id,
    description,
    identity_provider,
    created_at,
    created_by,
    expires_at,
    revoked_at,
    last_seen_at as last_used_at,
    {{ days_between('created_at', 'as_of_at') }} as age_days,
    {{ days_between('coalesce(last_seen_at, created_at)', 'as_of_at') }} as idle_days,
    case
        when revoked_at is not null then 'revoked'
        when expires_at <= as_of_at then 'expired'
        else 'live'
    end as state
from tokens
