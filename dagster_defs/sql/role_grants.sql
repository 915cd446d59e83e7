-- The roles that users and teams hold at each cut, with the names of holder and scope.
-- Older events name who granted a role by user name: it is whoever had the name then.
SELECT
    held.* REPLACE (coalesce(maker.user_id, held.granted_by) AS granted_by),
    if(held.holder_kind = 'user', person.user_name, team.display_name) AS holder_name,
    place.scope_name
FROM (
    SELECT cut.day, cut.seq, version.* FROM identity.snapshot_cuts AS cut INNER JOIN identity.grant_versions AS version
        ON version.org = cut.org AND version.from_seq <= cut.seq
        AND (version.until_seq IS NULL OR version.until_seq > cut.seq)
) AS held
LEFT JOIN identity.user_versions AS maker
    ON maker.org = held.org AND maker.user_name = held.granted_by AND maker.from_seq <= held.from_seq
    AND (maker.until_seq IS NULL OR maker.until_seq > held.from_seq)
LEFT JOIN identity.user_versions AS person
    ON held.holder_kind = 'user' AND person.org = held.org AND person.user_id = held.holder_id
    AND person.from_seq <= held.seq AND (person.until_seq IS NULL OR person.until_seq > held.seq)
LEFT JOIN identity.team_versions AS team
    ON held.holder_kind = 'team' AND team.org = held.org AND team.team_id = held.holder_id
    AND team.from_seq <= held.seq AND (team.until_seq IS NULL OR team.until_seq > held.seq)
LEFT JOIN identity.places AS place
    ON place.org = held.org AND place.day = held.day AND place.scope_kind = held.scope_kind
    AND place.scope_id IS NOT DISTINCT FROM held.scope_id
