-- One row for each thing in the period that the control tests of accounts and privileged access looked at, with what
-- was wrong.
with cuts as (
    select * from {{ ref('int_log__cuts') }}
),

names as (
    select * from {{ ref('int_users__names') }}
),

active as (
    select distinct
        spans.organization,
        spans.user_id
    from {{ ref('int_users__status_spans') }} as spans
    inner join cuts
        on spans.organization = cuts.organization
    where spans.is_active and {{ touches_period('spans.from_at', 'spans.until_at') }}
),

unmanaged as (
    select distinct
        versions.organization,
        versions.user_id
    from {{ ref('stg_scim__user_versions') }} as versions
    inner join cuts
        on versions.organization = cuts.organization and versions.from_event <= cuts.as_of_event
    left join {{ ref('stg_scim__events') }} as ends
        on versions.organization = ends.organization and versions.until_event = ends.event
    where
        versions.is_active
        and versions.origin <> 'scim'
        and {{ touches_period('versions.from_at', 'ends.occurred_at') }}
),

idle as (
    select
        spans.organization,
        spans.user_id,
        max({{ days_between('spans.seen_at', 'coalesce(spans.until_at, cuts.as_of_at)') }}) as idle_days
    from {{ ref('int_users__idle_spans') }} as spans
    inner join cuts
        on spans.organization = cuts.organization
    where {{ touches_period('spans.seen_at', 'spans.until_at') }}
    group by spans.organization, spans.user_id
),

paths as (
    select
        paths.*,
        names.user_name,
        self_grants.grant_id as self_granted
    from {{ ref('int_access__privileged_paths') }} as paths
    inner join cuts
        on paths.organization = cuts.organization
    inner join names
        on paths.organization = names.organization and paths.user_id = names.user_id
    left join {{ ref('int_access__self_grants') }} as self_grants
        on
            paths.organization = self_grants.organization
            and paths.user_id = self_grants.user_id
            and paths.grant_id = self_grants.grant_id
            and paths.from_event = self_grants.from_event
    where {{ touches_period('paths.from_at', 'paths.until_at') }}
)

select
    active.organization,
    'accounts_come_from_the_identity_provider' as test_name,
    active.user_id as subject_id,
    names.user_name as subject_name,
    case
        when unmanaged.user_id is not null
            then 'exists only here: nobody provisions it, nobody will deprovision it'
    end as finding
from active
inner join names
    on active.organization = names.organization and active.user_id = names.user_id
left join unmanaged
    on active.organization = unmanaged.organization and active.user_id = unmanaged.user_id
union all
select
    active.organization,
    'dormant_accounts_are_disabled' as test_name,
    active.user_id as subject_id,
    names.user_name as subject_name,
    case
        when idle.idle_days >= cuts.dormant_days then 'idle for ' || cast(idle.idle_days as text) || ' days'
    end as finding
from active
inner join cuts
    on active.organization = cuts.organization
inner join names
    on active.organization = names.organization and active.user_id = names.user_id
left join idle
    on active.organization = idle.organization and active.user_id = idle.user_id
union all
select
    organization,
    'privileged_access_is_justified' as test_name,
    user_id as subject_id,
    user_name as subject_name,
    case
        when coalesce(trim(reason), '') = '' then role || ' on ' || replace(scope_kind, '_', ' ') || ' without a reason'
    end as finding
from paths
union all
select
    organization,
    'privileged_access_is_granted_by_others' as test_name,
    user_id as subject_id,
    user_name as subject_name,
    case when self_granted is not null then 'granted ' || role || ' to themselves' end as finding
from paths
