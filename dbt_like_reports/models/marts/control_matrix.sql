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
    case when results.is_passed then 'pass' else 'fail' end as result,
    controls.test_name || '@' || cast(cuts.as_of_event as text) as evidence_id,
    cuts.period_start,
    cuts.as_of_day
from {{ ref('controls') }} as controls
inner join {{ ref('int_controls__results') }} as results
    on controls.test_name = results.test_name
inner join {{ ref('int_log__cuts') }} as cuts
    on results.organization = cuts.organization
