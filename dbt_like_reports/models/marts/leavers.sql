-- One row for each time a person lost access, with the moment of each step and whether the agreement was kept.
select
    clocks.organization,
    clocks.user_name,
    clocks.display_name,
    clocks.email,
    clocks.department,
    clocks.asked_at,
    clocks.asserted_at,
    clocks.first_refused_at,
    clocks.received_at,
    clocks.access_ended_at as left_at,
    clocks.memberships_removed_at,
    {{ seconds_between('clocks.asked_at', 'clocks.access_ended_at') }} as latency_seconds,
    agreements.sla_seconds,
    {{ seconds_between('clocks.asked_at', 'clocks.access_ended_at') }} <= agreements.sla_seconds as is_within_sla,
    clocks.how,
    clocks.teams_lost,
    clocks.grants_lost,
    clocks.tokens_lost,
    clocks.memberships_held - clocks.memberships_removed as memberships_left,
    case when clocks.returned_at <= cuts.as_of_at then clocks.returned_at end as returned_at,
    clocks.actor,
    clocks.identity_provider,
    clocks.event,
    clocks.user_id
from {{ ref('int_leavers__clocks') }} as clocks
inner join {{ ref('int_settings__agreements') }} as agreements
    on clocks.organization = agreements.organization and clocks.event = agreements.event
inner join {{ ref('int_log__cuts') }} as cuts
    on clocks.organization = cuts.organization
