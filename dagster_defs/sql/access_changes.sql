-- Joiners, movers, leavers and changes of roles of the batch, each with the event that did it.
-- `in_batch` is said also where equal events say it: by it most of a history is left unread.
CREATE OR REPLACE TEMP MACRO in_batch(seq) AS seq > getvariable('after') AND seq <= getvariable('until');
-- So is `begun`: what began after the batch is left unread, however far the histories have come.
CREATE OR REPLACE TEMP MACRO begun(from_seq) AS from_seq <= getvariable('until');

CREATE OR REPLACE TEMP TABLE found AS
WITH people AS (
    SELECT
        event.seq, event.type, event.change AS said, event.subject_id AS user_id,
        before.user_id IS NOT NULL AS was_known,
        coalesce(before.active, false) AS was_active,
        coalesce(after.active, false) AS is_active
    FROM batch AS event
    LEFT JOIN identity.user_versions AS before
        ON before.org = getvariable('org') AND before.user_id = event.subject_id AND before.until_seq = event.seq
        AND in_batch(before.until_seq)
    LEFT JOIN identity.user_versions AS after
        ON after.org = getvariable('org') AND after.user_id = event.subject_id AND after.from_seq = event.seq
        AND in_batch(after.from_seq)
    WHERE event.subject_kind = 'user'
),
moved AS (
    SELECT event.seq, held.team_id, held.user_id, 'joined_team' AS how, event.seq AS moment
    FROM batch AS event INNER JOIN identity.membership_versions AS held
        ON held.org = getvariable('org') AND held.team_id = event.subject_id AND held.from_seq = event.seq
        AND in_batch(held.from_seq)
    ANTI JOIN identity.membership_versions AS earlier
        ON earlier.org = held.org AND earlier.team_id = held.team_id AND earlier.user_id = held.user_id
        AND earlier.until_seq = held.from_seq AND in_batch(earlier.until_seq)
    WHERE event.subject_kind = 'team'
    UNION ALL
    SELECT event.seq, held.team_id, held.user_id, 'left_team', event.seq - (event.type = 'team.deleted')::INTEGER
    FROM batch AS event INNER JOIN identity.membership_versions AS held
        ON held.org = getvariable('org') AND held.team_id = event.subject_id AND held.until_seq = event.seq
        AND in_batch(held.until_seq)
    ANTI JOIN identity.membership_versions AS later
        ON later.org = held.org AND later.team_id = held.team_id AND later.user_id = held.user_id
        AND later.from_seq = held.until_seq AND in_batch(later.from_seq)
    WHERE event.subject_kind = 'team'
),
given_or_taken AS (
    SELECT event.seq, 'granted_role' AS how, event.seq AS moment, held.*
    FROM batch AS event INNER JOIN identity.grant_versions AS held
        ON held.org = getvariable('org') AND held.grant_id = event.subject_id AND held.from_seq = event.seq
    WHERE event.type = 'role.granted'
    UNION ALL
    SELECT event.seq, 'revoked_role', event.seq - 1, held.*
    FROM batch AS event INNER JOIN identity.grant_versions AS held
        ON held.org = getvariable('org') AND held.grant_id = event.subject_id AND held.until_seq = event.seq
    WHERE event.type = 'role.revoked'
),
roles AS (
    -- Of a team's grant, one row for each of its active members.
    SELECT held.*, held.holder_id AS user_id, NULL::VARCHAR AS team_id
    FROM given_or_taken AS held WHERE held.holder_kind = 'user'
    UNION ALL
    SELECT held.*, member.user_id, held.holder_id
    FROM given_or_taken AS held INNER JOIN identity.membership_versions AS member
        ON held.holder_kind = 'team' AND member.org = held.org AND member.team_id = held.holder_id
        AND begun(member.from_seq) AND holds(member.from_seq, member.until_seq, held.moment)
    SEMI JOIN identity.user_versions AS person
        ON person.org = held.org AND person.user_id = member.user_id AND person.active
        AND begun(person.from_seq) AND holds(person.from_seq, person.until_seq, held.moment)
)
SELECT
    seq, user_id, 'leaver' AS change, if(type = 'user.deleted', 'deleted', 'deactivated') AS how,
    NULL::VARCHAR AS team_id, NULL::VARCHAR AS team_name, NULL::VARCHAR AS detail,
    'active' AS before, if(type = 'user.deleted', 'none', 'inactive') AS after,
    seq - 1 AS moment -- what a leaver had is what there was before the event
FROM people WHERE was_active AND NOT is_active
UNION ALL BY NAME
SELECT
    seq, user_id, 'joiner' AS change,
    CASE WHEN was_known THEN 'reactivated' WHEN type = 'user.restored' THEN 'restored' ELSE 'created' END AS how,
    if(was_known, 'inactive', 'none') AS before, 'active' AS after, seq AS moment
FROM people WHERE is_active AND NOT was_active
UNION ALL BY NAME
SELECT
    seq, user_id, 'mover' AS change, 'changed_job' AS how, job_change(said) AS detail,
    job_before(said) AS before, job_after(said) AS after, seq AS moment
FROM people WHERE was_active AND is_active AND job_change(said) <> ''
UNION ALL BY NAME
SELECT
    moved.seq, moved.user_id, 'mover' AS change, moved.how, moved.team_id, team.display_name AS team_name,
    team.display_name AS detail, if(moved.how = 'left_team', team.display_name, NULL) AS before,
    if(moved.how = 'joined_team', team.display_name, NULL) AS after, moved.seq AS moment
FROM moved
LEFT JOIN identity.team_versions AS team
    ON team.org = getvariable('org') AND team.team_id = moved.team_id
    AND holds(team.from_seq, team.until_seq, moved.moment)
SEMI JOIN identity.user_versions AS person
    ON person.org = getvariable('org') AND person.user_id = moved.user_id AND person.active
    AND begun(person.from_seq) AND holds(person.from_seq, person.until_seq, moved.seq)
UNION ALL BY NAME
SELECT
    held.seq, held.user_id, 'role_change' AS change, held.how, held.team_id, team.display_name AS team_name,
    held.grant_id, held.role, held.scope_kind, held.scope_id,
    concat(held.role, ' on ', coalesce(place.name, replace(held.scope_kind, '_', ' '))) AS detail,
    if(held.how = 'revoked_role', held.role, NULL) AS before, if(held.how = 'granted_role', held.role, NULL) AS after,
    held.moment
FROM roles AS held
LEFT JOIN identity.team_versions AS team
    ON team.org = held.org AND team.team_id = held.team_id AND holds(team.from_seq, team.until_seq, held.moment)
LEFT JOIN identity.place_versions AS place
    ON place.org = held.org AND place.scope_kind = held.scope_kind AND place.scope_id = held.scope_id
    AND holds(place.from_seq, place.until_seq, held.moment);

-- The person's teams at that moment; of a leaver those that were lost.
INSERT INTO identity.access_changes BY NAME
WITH moments AS (
    SELECT DISTINCT user_id, moment FROM found
),
-- A leaver whose deactivation was refused before was meant to go when it was asked for first, unless the account was
-- changed after that.
refused AS (
    SELECT left_now.seq, left_now.user_id, min(event.occurred_at) AS asserted_at
    FROM found AS left_now
    INNER JOIN identity.user_versions AS before
        ON before.org = getvariable('org') AND before.user_id = left_now.user_id AND before.until_seq = left_now.seq
    INNER JOIN identity.provisioning_events AS event
        ON event.org = getvariable('org') AND event.type = 'write.rejected' AND event.subject_kind = 'user'
        AND event.subject_id = left_now.user_id AND event.seq > before.from_seq AND event.seq < left_now.seq
        AND event.asked_to_leave
    WHERE left_now.change = 'leaver'
    GROUP BY left_now.seq, left_now.user_id
),
-- What an event says is read once, not once for each person it is about.
events AS MATERIALIZED (
    SELECT seq, day, id, occurred_at, actor, idp, (change ->> '$.asserted_at')::TIMESTAMP AS asserted_at FROM batch
),
held AS (
    SELECT moments.user_id, moments.moment, array_to_string(list_sort(list(team.display_name)), ', ') AS teams
    FROM moments
    INNER JOIN identity.membership_versions AS member
        ON member.org = getvariable('org') AND member.user_id = moments.user_id
        AND begun(member.from_seq) AND holds(member.from_seq, member.until_seq, moments.moment)
    INNER JOIN identity.team_versions AS team
        ON team.org = getvariable('org') AND team.team_id = member.team_id
        AND holds(team.from_seq, team.until_seq, moments.moment)
    GROUP BY moments.user_id, moments.moment
)
SELECT
    getvariable('org') AS org, event.day, event.seq, event.id AS event_id, event.occurred_at,
    found.change, found.how, found.user_id, person.user_name, person.display_name, person.email, person.department,
    coalesce(held.teams, '') AS teams, found.detail, event.actor, event.idp, found.team_id, found.team_name,
    found.grant_id, found.role, found.scope_kind, found.scope_id, found.before, found.after,
    coalesce(event.asserted_at, refused.asserted_at) AS asserted_at
FROM found
INNER JOIN events AS event ON event.seq = found.seq
LEFT JOIN held ON held.user_id = found.user_id AND held.moment = found.moment
LEFT JOIN refused ON refused.seq = found.seq AND refused.user_id = found.user_id
LEFT JOIN identity.user_versions AS person
    ON person.org = getvariable('org') AND person.user_id = found.user_id
    AND begun(person.from_seq) AND holds(person.from_seq, person.until_seq, found.moment);

DROP TABLE found;
