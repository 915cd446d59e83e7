-- What each event of the batch made of a {kind}: one row for as long as it held, `from_seq` <= seq < `until_seq`.
-- A row that is carried over from before the batch gives what later events do not say.
CREATE OR REPLACE TEMP TABLE steps AS
WITH told AS (
    SELECT *, from_seq AS seq, updated_at AS happened, true AS carried, false AS deleted
    FROM identity.{kind}_versions
    WHERE org = getvariable('org') AND until_seq IS NULL
        AND {kind}_id IN (SELECT subject_id FROM batch WHERE subject_kind = '{kind}')
    UNION ALL BY NAME
    SELECT
        subject_id AS {kind}_id, seq, occurred_at AS happened, false AS carried, type = '{kind}.deleted' AS deleted,
        document, coalesce({kind}_active(document), false) AS active, change ->> '$.origin' AS origin, idp,
        coalesce((change ->> '$.created_at')::TIMESTAMP, occurred_at) AS created_at, if({kind}_active(document), NULL, occurred_at) AS deactivated_at
    FROM batch WHERE subject_kind = '{kind}'
),
lives AS (
    -- What comes back after a deletion begins anew.
    SELECT *, count(*) FILTER (deleted) OVER (PARTITION BY {kind}_id ORDER BY seq) - deleted::INTEGER AS life FROM told
),
spells AS (
    SELECT *, count(*) FILTER (active) OVER (PARTITION BY {kind}_id, life ORDER BY seq) AS spell FROM lives
)
SELECT
    {kind}_id, seq, carried, deleted, document, happened,
    lead(seq) OVER (PARTITION BY {kind}_id ORDER BY seq) AS until_seq,
    coalesce(last_value(origin IGNORE NULLS) OVER life_so_far, 'scim') AS origin,
    last_value(idp IGNORE NULLS) OVER life_so_far AS idp,
    first_value(created_at) OVER life_so_far AS created_at,
    if(active, NULL, min(deactivated_at) OVER (PARTITION BY {kind}_id, life, spell ORDER BY seq)) AS deactivated_at
FROM spells
WINDOW life_so_far AS (PARTITION BY {kind}_id, life ORDER BY seq);

UPDATE identity.{kind}_versions AS version SET until_seq = step.until_seq
FROM steps AS step
WHERE step.carried AND version.org = getvariable('org') AND version.until_seq IS NULL
    AND version.{kind}_id = step.{kind}_id;

INSERT INTO identity.{kind}_versions ({columns})
SELECT {columns} FROM (
    SELECT * EXCLUDE (seq), getvariable('org') AS org, seq AS from_seq, happened AS updated_at, unnest({kind}_columns(document))
    FROM steps WHERE NOT carried AND NOT deleted
);

DROP TABLE steps;
