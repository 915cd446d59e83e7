-- Roles granted and revoked.
CREATE OR REPLACE TEMP TABLE steps AS
SELECT
    subject_id AS grant_id, seq, type = 'role.revoked' AS ended, change ->> '$.grant.holder_kind' AS holder_kind,
    change ->> '$.grant.holder_id' AS holder_id, change ->> '$.grant.role' AS role,
    change ->> '$.grant.scope_kind' AS scope_kind, change ->> '$.grant.scope_id' AS scope_id,
    occurred_at AS granted_at, actor AS granted_by, change ->> '$.grant.reason' AS reason
FROM batch WHERE type IN ('role.granted', 'role.revoked');
