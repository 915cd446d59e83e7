-- Who came into and went out of which team. A deleted team loses its members, a deleted user leaves every team.
-- The changes are read before their lists are unfolded: an event of many members would be read once for each of them.
CREATE OR REPLACE TEMP TABLE asked AS
SELECT
    subject_id AS team_id, seq, occurred_at AS since, coalesce(change ->> '$.members.origin', 'scim') AS origin,
    from_json(json_extract(change, '$.members.added'), '["VARCHAR"]') AS added,
    from_json(json_extract(change, '$.members.removed'), '["VARCHAR"]') AS removed
FROM batch WHERE subject_kind = 'team' AND type <> 'team.deleted';

CREATE OR REPLACE TEMP TABLE steps AS
SELECT team_id, unnest(added) AS user_id, seq, false AS ended, since, origin FROM asked;

INSERT INTO steps BY NAME
SELECT gone.team_id, gone.user_id, gone.seq, true AS ended
FROM (SELECT team_id, unnest(removed) AS user_id, seq FROM asked) AS gone
-- of one event, an addition counts more than a removal
ANTI JOIN steps ON steps.team_id = gone.team_id AND steps.user_id = gone.user_id AND steps.seq = gone.seq;

INSERT INTO steps BY NAME
WITH held AS NOT MATERIALIZED (
    SELECT team_id, user_id, from_seq AS seq FROM identity.membership_versions
    WHERE org = getvariable('org') AND until_seq IS NULL
    UNION ALL
    SELECT team_id, user_id, seq FROM steps WHERE NOT ended
)
SELECT DISTINCT held.team_id, held.user_id, event.seq, true AS ended
FROM batch AS event INNER JOIN held ON held.team_id = event.subject_id AND held.seq < event.seq
WHERE event.type = 'team.deleted'
UNION ALL
SELECT DISTINCT held.team_id, held.user_id, event.seq, true AS ended
FROM batch AS event INNER JOIN held ON held.user_id = event.subject_id AND held.seq < event.seq
WHERE event.type = 'user.deleted';

DROP TABLE asked;
