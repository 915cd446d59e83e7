-- One row for each thing in the period that the control tests of tokens, exceptions and the log looked at, with what
-- was wrong.
with cuts as (
    select * from {{ ref('int_log__cuts') }}
),

tokens as (
    select
        tokens.organization,
        tokens.token_id,
        coalesce(nullif(tokens.description, ''), tokens.token_id) as subject_name,
        tokens.created_at,
        tokens.expires_at,
        case when tokens.revoked_at <= cuts.as_of_at then tokens.revoked_at end as revoked_at,
        case
            when tokens.expires_at <= cuts.as_of_at or tokens.revoked_at <= cuts.as_of_at
                then least(tokens.expires_at, tokens.revoked_at)
        end as dead_at
    from {{ ref('stg_scim__tokens') }} as tokens
    inner join cuts
        on tokens.organization = cuts.organization
    where {{ touches_period('tokens.created_at', 'tokens.revoked_at') }}
),

idle as (
    select
        tokens.organization,
        tokens.token_id,
        max(
            {{ days_between('spans.seen_at', 'coalesce(least(spans.until_at, tokens.dead_at), cuts.as_of_at)') }}
        ) as idle_days
    from tokens
    inner join cuts
        on tokens.organization = cuts.organization
    inner join {{ ref('int_tokens__idle_spans') }} as spans
        on tokens.organization = spans.organization and tokens.token_id = spans.token_id
    where {{ touches_period('spans.seen_at', 'least(spans.until_at, tokens.dead_at)') }}
    group by tokens.organization, tokens.token_id
),

-- An exception that ran out has a gap until it is ended or another takes its place.
exceptions as (
    select
        exceptions.*,
        least(exceptions.renewed_at, case when exceptions.state = 'ended' then exceptions.ended_at end) as over_at,
        cuts.as_of_at
    from {{ ref('exceptions') }} as exceptions
    inner join cuts
        on exceptions.organization = cuts.organization
    where
        {{ touches_period(
            'exceptions.created_at',
            "least(exceptions.renewed_at, case when exceptions.state = 'ended' then exceptions.ended_at end)"
        ) }}
)

select
    tokens.organization,
    'tokens_are_current' as test_name,
    tokens.token_id as subject_id,
    tokens.subject_name,
    case
        when
            tokens.expires_at <= cuts.as_of_at
            and (
                tokens.revoked_at is null
                or tokens.revoked_at > tokens.expires_at + {{ days('cuts.grace_days') }}
            )
            then 'expired and not revoked'
        when idle.idle_days >= cuts.dormant_days
            then 'live and not used for ' || cast(idle.idle_days as text) || ' days'
    end as finding
from tokens
inner join cuts
    on tokens.organization = cuts.organization
left join idle
    on tokens.organization = idle.organization and tokens.token_id = idle.token_id
union all
select
    organization,
    'exceptions_are_current' as test_name,
    exception_id as subject_id,
    subject_name,
    case
        when not is_independent then 'approved by the one who asked for it'
        when expires_at <= coalesce(over_at, as_of_at)
            then 'ran out on ' || cast(cast(expires_at as date) as text)
    end as finding
from exceptions
union all
select
    events.organization,
    'event_log_is_whole' as test_name,
    cast(events.event as text) as subject_id,
    'event ' || cast(events.event as text) as subject_name,
    breaks.finding
from {{ ref('stg_scim__events') }} as events
left join {{ ref('int_log__breaks') }} as breaks
    on events.organization = breaks.organization and events.event = breaks.event
