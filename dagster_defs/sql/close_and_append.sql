-- The steps of the batch end what they follow, and begin what they say: `steps` has the keys, `seq` and `ended`.
UPDATE identity.{table} AS version SET until_seq = step.seq
FROM (SELECT {keys}, min(seq) AS seq FROM steps GROUP BY {keys}) AS step
WHERE version.org = getvariable('org') AND version.until_seq IS NULL AND {same};

INSERT INTO identity.{table} ({columns})
SELECT {columns} FROM (
    SELECT
        * EXCLUDE (seq, ended), getvariable('org') AS org, seq AS from_seq,
        lead(seq) OVER (PARTITION BY {keys} ORDER BY seq) AS until_seq, ended
    FROM steps
) WHERE NOT ended;

DROP TABLE steps;
