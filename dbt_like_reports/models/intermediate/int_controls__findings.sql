-- One row for each thing that a control test found wrong: whom or what, and in which words.
select distinct
    organization,
    test_name,
    subject_id,
    subject_name,
    finding
from {{ ref('int_controls__occurrences') }}
where finding is not null
