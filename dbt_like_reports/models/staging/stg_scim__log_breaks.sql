-- Events for which the chain of hashes does not hold, computed again from what the events say.
select
    org as organization,
    seq as event,
    finding
from {{ source('identity', 'log_breaks') }}
