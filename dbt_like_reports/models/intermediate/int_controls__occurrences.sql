-- One row for each thing in the period that a control test looked at, with what was wrong where something was.
select * from {{ ref('int_controls__of_leaving') }}
union all
select * from {{ ref('int_controls__of_access') }}
union all
select * from {{ ref('int_controls__of_reviews') }}
union all
select * from {{ ref('int_controls__of_registers') }}
