-- One row for each organization and control test: what was looked at, what was found, and what an exception excuses.
-- Where there was nothing to look at, the control did not have to work: that is no pass.
with excused as (
    select distinct
        organization,
        test_name,
        subject_id
    from {{ ref('exceptions') }}
    where state = 'live' and is_independent
),

populations as (
    select
        organization,
        test_name,
        count(*) as population
    from {{ ref('int_controls__occurrences') }}
    group by organization, test_name
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
    case
        when findings.findings > findings.excused then 'fail'
        when populations.population is null then 'no occurrence'
        else 'pass'
    end as result
from {{ ref('int_log__cuts') }} as cuts
cross join {{ ref('control_tests') }} as tests
left join populations
    on cuts.organization = populations.organization and tests.test_name = populations.test_name
left join findings
    on cuts.organization = findings.organization and tests.test_name = findings.test_name
