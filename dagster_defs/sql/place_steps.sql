-- Deployments and code locations added, changed and removed.
CREATE OR REPLACE TEMP TABLE steps AS
SELECT
    subject_kind AS scope_kind, subject_id AS scope_id, seq, ends_with(type, '.removed') AS ended,
    coalesce(change ->> '$.deployment.name', change ->> '$.code_location.name') AS name,
    change ->> '$.deployment.kind' AS kind, change ->> '$.code_location.deployment_id' AS deployment_id
FROM batch WHERE subject_kind IN ('deployment', 'code_location');
