-- One row for each event up to the end of the day for which the chain of hashes does not hold.
select
    breaks.organization,
    breaks.event,
    breaks.finding
from {{ ref('stg_scim__log_breaks') }} as breaks
inner join {{ ref('int_log__cuts') }} as cuts
    on breaks.organization = cuts.organization and breaks.event <= cuts.as_of_event
