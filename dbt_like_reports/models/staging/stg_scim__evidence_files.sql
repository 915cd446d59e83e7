-- The files of the evidence packs that were written.
select
    org as organization,
    report,
    period,
    file,
    rows as row_count,
    sha256,
    query_sha256,
    first_event,
    last_event,
    head_hash,
    run_id
from {{ source('identity', 'evidence_files') }}
