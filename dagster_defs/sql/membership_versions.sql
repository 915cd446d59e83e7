-- Who was in which team, one row for as long as it lasted; being added again begins a new row.
CREATE OR REPLACE TEMP TABLE asked AS
SELECT subject_id AS team_id, unnest(from_json(change -> '$.members.added', '["VARCHAR"]')) AS user_id, seq, true AS added
FROM batch WHERE subject_kind = 'team' AND type <> 'team.deleted'
UNION ALL
SELECT subject_id, unnest(from_json(change -> '$.members.removed', '["VARCHAR"]')), seq, false
FROM batch WHERE subject_kind = 'team' AND type <> 'team.deleted';

-- A deleted team loses its members, a deleted user leaves every team.
CREATE OR REPLACE TEMP TABLE steps AS
WITH held AS (
    SELECT team_id, user_id, from_seq AS seq FROM identity.membership_versions
    WHERE org = getvariable('org') AND until_seq IS NULL
    UNION ALL
    SELECT team_id, user_id, seq FROM asked WHERE added
),
ended AS (
    SELECT team_id, user_id, event.seq FROM batch AS event INNER JOIN held ON held.team_id = event.subject_id
    WHERE event.type = 'team.deleted' AND held.seq < event.seq
    UNION ALL
    SELECT team_id, user_id, event.seq FROM batch AS event INNER JOIN held ON held.user_id = event.subject_id
    WHERE event.type = 'user.deleted' AND held.seq < event.seq
),
every AS (
    SELECT team_id, user_id, seq, added FROM asked
    UNION ALL
    SELECT team_id, user_id, seq, false FROM ended
)
SELECT team_id, user_id, seq, bool_or(added) AS added, lead(seq) OVER (PARTITION BY team_id, user_id ORDER BY seq) AS until_seq
FROM every GROUP BY team_id, user_id, seq;

UPDATE identity.membership_versions AS version SET until_seq = step.seq
FROM (SELECT team_id, user_id, min(seq) AS seq FROM steps GROUP BY team_id, user_id) AS step
WHERE version.org = getvariable('org') AND version.until_seq IS NULL
    AND version.team_id = step.team_id AND version.user_id = step.user_id;

INSERT INTO identity.membership_versions BY NAME
SELECT
    getvariable('org') AS org, steps.seq AS from_seq, steps.until_seq, steps.team_id, steps.user_id,
    event.occurred_at AS since
FROM steps INNER JOIN batch AS event ON event.seq = steps.seq
WHERE steps.added;

DROP TABLE asked;
DROP TABLE steps;
