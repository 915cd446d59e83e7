-- What holds at each cut.
SELECT cut.day, cut.seq, held.*
FROM identity.snapshot_cuts AS cut INNER JOIN identity.{versions} AS held
    ON held.org = cut.org AND held.from_seq <= cut.seq AND (held.until_seq IS NULL OR held.until_seq > cut.seq)
