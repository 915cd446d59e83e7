-- One row for each end of an access: what a revocation of a review is looked up in.
with events as (
    select * from {{ ref('stg_scim__events') }}
),

memberships as (
    select
        organization,
        user_id,
        'team' as access_kind,
        team_id as access_id,
        until_event as event,
        until_at as ended_at
    from {{ ref('int_teams__membership_spans') }}
    where until_event is not null
),

roles as (
    select
        organization,
        cast(null as text) as user_id,
        'role' as access_kind,
        subject_id as access_id,
        event,
        occurred_at as ended_at
    from events
    where event_type = 'role.revoked'
),

accounts as (
    select
        organization,
        user_id,
        'account' as access_kind,
        user_id as access_id,
        until_event as event,
        until_at as ended_at
    from {{ ref('int_users__status_spans') }}
    where is_active and until_event is not null
)

select * from memberships
union all
select * from roles
union all
select * from accounts
