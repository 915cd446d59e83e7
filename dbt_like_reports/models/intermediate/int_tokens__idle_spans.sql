-- One row for each stretch of time in which a token wrote nothing, from its making or a use to the next use.
with seen as (
    select
        organization,
        token_id,
        created_at as seen_at
    from {{ ref('stg_scim__tokens') }}
    union all
    select
        organization,
        token_id,
        last_used_at as seen_at
    from {{ ref('stg_scim__tokens') }}
    where last_used_at is not null
    union all
    select
        organization,
        actor as token_id,
        occurred_at as seen_at
    from {{ ref('stg_scim__events') }}
    where identity_provider is not null
)

select
    organization,
    token_id,
    seen_at,
    lead(seen_at) over (partition by organization, token_id order by seen_at) as until_at
from seen
