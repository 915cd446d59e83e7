-- One row for each event that is not chained to the one before it.
with chained as (
    select
        organization,
        event,
        prev_hash,
        lag(event) over (partition by organization order by event) as event_before,
        lag(hash) over (partition by organization order by event) as hash_before
    from {{ ref('stg_scim__events') }}
)

select
    organization,
    event
from chained
where
    event <> coalesce(event_before + 1, 1)
    or prev_hash <> coalesce(hash_before, prev_hash)
