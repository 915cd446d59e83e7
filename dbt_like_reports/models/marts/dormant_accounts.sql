-- One row for each active account that has neither signed in nor been changed for long.
with sign_ins as (
    select
        organization,
        actor as user_id,
        max(occurred_at) as last_sign_in_at
    from {{ ref('stg_scim__events') }}
    where event_type = 'session.started'
    group by organization, actor
),

active as (
    select
        users.*,
        sign_ins.last_sign_in_at,
        cuts.as_of_at,
        cuts.dormant_days,
        greatest(users.created_at, users.updated_at, sign_ins.last_sign_in_at) as last_seen_at
    from {{ ref('stg_scim__users') }} as users
    inner join {{ ref('int_log__cuts') }} as cuts
        on users.organization = cuts.organization
    left join sign_ins
        on users.organization = sign_ins.organization and users.user_id = sign_ins.user_id
    where users.is_active
)

select
    organization,
    user_name,
    display_name,
    email,
    department,
    created_at,
    updated_at as last_changed_at,
    last_sign_in_at,
    {{ days_between('last_seen_at', 'as_of_at') }} as idle_days,
    user_id
from active
where {{ days_between('last_seen_at', 'as_of_at') }} >= dormant_days
