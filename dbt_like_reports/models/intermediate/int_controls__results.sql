-- One row for each organization and control test: what was looked at, what was found, and what an exception excuses.
with excused as (
    select distinct
        organization,
        test_name,
        subject_id
    from {{ ref('exceptions') }}
    where state = 'live' and is_independent
),

findings as (
    select
        findings.organization,
        findings.test_name,
        count(*) as findings,
        count(excused.subject_id) as excused
    from {{ ref('int_controls__findings') }} as findings
    left join excused
        on
            findings.organization = excused.organization
            and findings.test_name = excused.test_name
            and findings.subject_id = excused.subject_id
    group by findings.organization, findings.test_name
)

select
    cuts.organization,
    tests.test_name,
    tests.assertion,
    coalesce(populations.population, 0) as population,
    coalesce(findings.findings, 0) as findings,
    coalesce(findings.excused, 0) as excused,
    coalesce(findings.findings, 0) - coalesce(findings.excused, 0) = 0 as is_passed
from {{ ref('int_log__cuts') }} as cuts
cross join {{ ref('control_tests') }} as tests
left join {{ ref('int_controls__populations') }} as populations
    on cuts.organization = populations.organization and tests.test_name = populations.test_name
left join findings
    on cuts.organization = findings.organization and tests.test_name = findings.test_name
