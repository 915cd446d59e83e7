-- Every value that a setting of an organization had, from one event to the next.
select
    org as organization,
    name as setting_name,
    value as setting_value,
    from_seq as from_event,
    until_seq as until_event
from {{ source('identity', 'setting_versions') }}
