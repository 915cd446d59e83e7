-- One row for each organization, control and test behind it: passed or failed, and where the evidence is.
select
    results.organization,
    controls.framework,
    controls.control,
    controls.title,
    controls.test_name,
    results.assertion,
    results.population,
    results.findings,
    results.excused,
    results.result,
    -- Another period or other thresholds are other evidence.
    controls.test_name || '@' || cast(cuts.as_of_event as text) || '-' || {{ evidence_digest() }} as evidence_id,
    cuts.period_start,
    cuts.as_of_day
from {{ ref('controls') }} as controls
inner join {{ ref('int_controls__results') }} as results
    on controls.test_name = results.test_name
inner join {{ ref('int_log__cuts') }} as cuts
    on results.organization = cuts.organization
