-- Who came into and went out of which team. A deleted team loses its members, a deleted user leaves every team.
CREATE OR REPLACE TEMP TABLE steps AS
WITH asked AS (
    SELECT
        subject_id AS team_id, unnest(from_json(change -> '$.members.added', '["VARCHAR"]')) AS user_id, seq,
        false AS ended, occurred_at AS since, coalesce(change ->> '$.members.origin', 'scim') AS origin
    FROM batch WHERE subject_kind = 'team' AND type <> 'team.deleted'
    UNION ALL BY NAME
    SELECT
        subject_id AS team_id, unnest(from_json(change -> '$.members.removed', '["VARCHAR"]')) AS user_id, seq,
        true AS ended
    FROM batch WHERE subject_kind = 'team' AND type <> 'team.deleted'
),
held AS (
    SELECT team_id, user_id, from_seq AS seq FROM identity.membership_versions
    WHERE org = getvariable('org') AND until_seq IS NULL
    UNION ALL
    SELECT team_id, user_id, seq FROM asked WHERE NOT ended
)
SELECT * FROM asked
-- of one event, an addition counts more than a removal
QUALIFY row_number() OVER (PARTITION BY team_id, user_id, seq ORDER BY ended) = 1
UNION ALL BY NAME
SELECT DISTINCT held.team_id, held.user_id, event.seq, true AS ended
FROM batch AS event INNER JOIN held ON held.team_id = event.subject_id AND held.seq < event.seq
WHERE event.type = 'team.deleted'
UNION ALL BY NAME
SELECT DISTINCT held.team_id, held.user_id, event.seq, true AS ended
FROM batch AS event INNER JOIN held ON held.user_id = event.subject_id AND held.seq < event.seq
WHERE event.type = 'user.deleted';
