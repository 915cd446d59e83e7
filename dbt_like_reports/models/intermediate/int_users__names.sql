-- One row for each account there has been up to the end of the day, with its last name.
with versions as (
    select
        versions.organization,
        versions.user_id,
        versions.user_name,
        row_number() over (
            partition by versions.organization, versions.user_id
            order by versions.from_event desc
        ) as place
    from {{ ref('stg_scim__user_versions') }} as versions
    inner join {{ ref('int_log__cuts') }} as cuts
        on versions.organization = cuts.organization and versions.from_event <= cuts.as_of_event
)

select
    organization,
    user_id,
    user_name
from versions
where place = 1
