-- One row for each person who decided in an access review: how much they kept, and how fast one after the other.
with decisions as (
    select
        *,
        {{ seconds_between(
            'lag(decided_at) over (partition by organization, campaign_id, decided_by order by decided_at, item_id)',
            'decided_at'
        ) }} as pace_seconds
    from {{ ref('access_review_decisions') }}
    where decided_by is not null
),

counted as (
    select
        organization,
        campaign_id,
        campaign_name,
        decided_by,
        count(*) as decided,
        count(case when decision = 'keep' then 1 end) as kept,
        min(decided_at) as first_at,
        max(decided_at) as last_at,
        cast(
            percentile_cont(0.5) within group (order by case when decision = 'keep' then pace_seconds end)
            as double precision
        ) as median_pace_seconds
    from decisions
    group by organization, campaign_id, campaign_name, decided_by
)

select
    counted.*,
    -- Nobody reads forty accounts in as many seconds, whatever else was decided between them.
    coalesce(
        counted.kept >= cuts.rubber_stamp_least and counted.median_pace_seconds < cuts.rubber_stamp_seconds, false
    ) as is_rubber_stamp
from counted
inner join {{ ref('int_log__cuts') }} as cuts
    on counted.organization = cuts.organization
