-- One row for each thing that a control test found wrong, with the exception that excuses it.
select
    findings.organization,
    findings.test_name,
    findings.subject_name,
    findings.finding,
    excuses.reason as excused_by,
    excuses.expires_at as excused_until,
    findings.subject_id
from {{ ref('int_controls__findings') }} as findings
left join {{ ref('exceptions') }} as excuses
    on
        findings.organization = excuses.organization
        and findings.test_name = excuses.test_name
        and findings.subject_id = excuses.subject_id
        and excuses.state = 'live'
        and excuses.is_independent
