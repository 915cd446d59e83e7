-- One row for each account: the most permissive role it has anywhere, and whether that is privileged.
with ranked as (
    select
        *,
        row_number() over (
            partition by organization, user_id
            order by {{ role_rank('role') }}, scope_kind, scope_id, source, source_id
        ) as place
    from {{ ref('stg_scim__effective_access') }}
)

select
    organization,
    user_id,
    role as effective_role,
    source as role_source,
    source_name as role_source_name,
    scope_kind,
    scope_name,
    is_privileged
from ranked
where place = 1
