-- Who is in which team at each cut; a member without an account is pending.
SELECT held.*, known.user_id IS NULL AS pending
FROM (
    SELECT cut.day, cut.seq, version.*
    FROM identity.snapshot_cuts AS cut INNER JOIN identity.membership_versions AS version
        ON version.org = cut.org AND version.from_seq <= cut.seq
        AND (version.until_seq IS NULL OR version.until_seq > cut.seq)
) AS held
LEFT JOIN identity.user_versions AS known
    ON known.org = held.org AND known.user_id = held.user_id AND known.from_seq <= held.seq
    AND (known.until_seq IS NULL OR known.until_seq > held.seq)
