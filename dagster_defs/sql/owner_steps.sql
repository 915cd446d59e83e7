-- Who owns which team. A deleted team has no owners, a deleted user owns none.
CREATE OR REPLACE TEMP TABLE steps AS
WITH asked AS (
    SELECT
        subject_id AS team_id, change ->> '$.owner.user_id' AS user_id, seq,
        type = 'team_owner.removed' AS ended, occurred_at AS since
    FROM batch WHERE type IN ('team_owner.added', 'team_owner.removed')
),
held AS (
    SELECT team_id, user_id, from_seq AS seq FROM identity.owner_versions
    WHERE org = getvariable('org') AND until_seq IS NULL
    UNION ALL
    SELECT team_id, user_id, seq FROM asked WHERE NOT ended
)
SELECT * FROM asked
UNION ALL BY NAME
SELECT DISTINCT held.team_id, held.user_id, event.seq, true AS ended
FROM batch AS event
INNER JOIN held ON (held.team_id = event.subject_id OR held.user_id = event.subject_id) AND held.seq < event.seq
WHERE event.type IN ('team.deleted', 'user.deleted');
