-- One row for each file of each evidence pack.
select
    organization,
    report,
    period,
    file,
    row_count,
    sha256,
    query_sha256,
    first_event,
    last_event,
    head_hash,
    run_id
from {{ ref('stg_scim__evidence_files') }}
