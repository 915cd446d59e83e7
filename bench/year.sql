-- A year of `users` people as the code location leaves it in the warehouse: everybody is provisioned and signs in, some
-- change job, team or role, some leave, a few of them late, some come back, some writes are refused; each day has its
-- cut, and one access review asks for every access there was.
CREATE OR REPLACE MACRO user_id(n) AS 'user-' || lpad(n::VARCHAR, 31, '0');
CREATE OR REPLACE MACRO user_name(n) AS 'person.' || n || '@example.com';
CREATE OR REPLACE MACRO team_id(n) AS 'team-' || lpad(n::VARCHAR, 31, '0');
CREATE OR REPLACE MACRO chance(n, what) AS (hash(n, what) % 1000)::INTEGER;
CREATE OR REPLACE MACRO sha(seq) AS md5('a' || seq) || md5('b' || seq);
SET VARIABLE teams = getvariable('users') // 60 + 1;
SET VARIABLE begins = TIMESTAMP '2025-11-01';

-- Steps of each person, at a part of the year; then the log gives each its number.
CREATE OR REPLACE TEMP TABLE log AS
WITH people AS (
    SELECT range AS n, 0.01 + 0.5 * range / getvariable('users') AS came FROM range(getvariable('users'))
),
steps AS (
    SELECT n, 0.001 AS part, 'team.created' AS type, 'team' AS kind FROM range(getvariable('teams')) AS team (n)
    UNION ALL SELECT n, 0.002, 'team_owner.added', 'team' FROM range(getvariable('teams')) AS team (n)
    UNION ALL SELECT n, 0.003, 'role.granted', 'team' FROM range(0, getvariable('teams'), 10) AS team (n)
    UNION ALL SELECT n, came, 'user.created', 'user' FROM people
    UNION ALL SELECT n, came + 0.0001, 'team.updated', 'joined' FROM people
    UNION ALL SELECT n, came + 0.01, 'session.started', 'user' FROM people
    UNION ALL SELECT n, 0.8 + chance(n, 'seen') / 6000, 'session.started', 'user' FROM people WHERE chance(n, 'idle') < 950
    UNION ALL SELECT n, came + 0.1, 'user.updated', 'user' FROM people WHERE chance(n, 'job') < 100
    UNION ALL SELECT n, came + 0.15, 'team.updated', 'moved' FROM people WHERE chance(n, 'team') < 100
    UNION ALL SELECT n, came + 0.12, 'role.granted', 'user' FROM people WHERE chance(n, 'role') < 5
    UNION ALL SELECT n, came + 0.29, 'write.rejected', 'user' FROM people WHERE chance(n, 'refused') < 10
    UNION ALL SELECT n, came + 0.3, 'user.deactivated', 'user' FROM people WHERE chance(n, 'left') < 200
    UNION ALL SELECT n, came + 0.31, 'team.updated', 'gone' FROM people WHERE chance(n, 'left') < 190
    UNION ALL SELECT n, came + 0.4, 'user.reactivated', 'user' FROM people WHERE chance(n, 'left') < 20
)
SELECT row_number() OVER (ORDER BY part, n, type, kind) AS seq, n, type, kind,
    getvariable('begins') + to_microseconds((part * 365 * 86400 * 1e6)::BIGINT) AS happened
FROM steps;

INSERT INTO identity.provisioning_events BY NAME
SELECT
    'big' AS org, 'big' AS org_id, 'one' AS log_epoch, seq, 'event-' || lpad(seq::VARCHAR, 30, '0') AS id, type,
    happened AS occurred_at, happened::DATE AS day,
    CASE WHEN type = 'session.started' THEN 'session' WHEN type LIKE 'team%' THEN 'team' WHEN type LIKE 'role%' THEN 'grant' ELSE 'user' END AS subject_kind,
    CASE
        WHEN type = 'role.granted' THEN 'grant-' || seq
        WHEN kind = 'team' THEN team_id(n) WHEN type = 'team.updated' THEN team_id(n // 60) ELSE user_id(n)
    END AS subject_id,
    CASE WHEN kind = 'user' THEN user_name(n) ELSE 'Team ' || n // 60 END AS subject_name,
    CASE WHEN type = 'session.started' THEN user_id(n) ELSE 'token-1' END AS actor,
    CASE WHEN type <> 'session.started' AND type NOT LIKE 'role%' THEN 'okta' END AS idp,
    CASE WHEN type = 'write.rejected' THEN 'PATCH' END AS method, CASE WHEN type = 'write.rejected' THEN 400 END AS status,
    CASE WHEN type = 'write.rejected' THEN 'invalidValue' END AS scim_type,
    CASE
        WHEN type = 'write.rejected' AND n % 2 = 0 THEN '{"request":{"Operations":[{"op":"replace","path":"active","value":false}]}}'
        WHEN type = 'write.rejected' THEN '{"request":{"Operations":[{"op":"replace","path":"emails","value":7}]}}'
        ELSE '{"origin":"scim","attributes":{"title":{"before":"Engineer","after":"Title"}}}'
    END AS change,
    CASE WHEN kind = 'user' THEN '{"userName":"' || user_name(n) || '","active":true}' END AS document,
    CASE WHEN seq > 1 THEN sha(seq - 1) ELSE '' END AS prev_hash, sha(seq) AS hash
FROM log ORDER BY seq;
INSERT INTO identity.organizations BY NAME
SELECT 'big' AS org, 'big' AS org_id, 'Big' AS name, 'UTC' AS time_zone, 'one' AS log_epoch, max(seq) AS seq,
    86400 AS deprovision_sla_seconds, 90 AS dormant_days, 92 AS review_days, 7 AS grace_days,
    2 AS rubber_stamp_seconds, 20 AS rubber_stamp_least FROM log;
INSERT INTO identity.snapshot_cuts BY NAME
SELECT range::DATE AS day, 'big' AS org, max(log.seq) AS seq
FROM range(getvariable('begins')::DATE, (SELECT max(happened)::DATE + 1 FROM log), INTERVAL 1 DAY)
INNER JOIN log ON log.happened < range + INTERVAL 1 DAY GROUP BY range;

CREATE OR REPLACE TEMP TABLE spells AS
SELECT n, seq AS from_seq, lead(seq) OVER own AS until_seq, type, happened, first_value(happened) OVER own AS created_at
FROM log WHERE kind = 'user' AND type IN ('user.created', 'user.updated', 'user.deactivated', 'user.reactivated')
WINDOW own AS (PARTITION BY n ORDER BY seq);
INSERT INTO identity.user_versions BY NAME
SELECT
    'big' AS org, from_seq, until_seq, user_id(n) AS user_id, user_name(n) AS user_name, '00u' || n AS external_id,
    type <> 'user.deactivated' AS active, 'Person ' || n AS display_name, user_name(n) AS email, 'Title' AS title,
    'Department ' || (n + (type = 'user.updated')::INTEGER) % 40 AS department, 'scim' AS origin, 'okta' AS idp,
    created_at, happened AS updated_at, CASE WHEN type = 'user.deactivated' THEN happened END AS deactivated_at
FROM spells ORDER BY from_seq;
INSERT INTO identity.team_versions BY NAME
SELECT 'big' AS org, seq AS from_seq, team_id(n) AS team_id, 'Team ' || n AS display_name, 'scim' AS origin,
    happened AS created_at, happened AS updated_at FROM log WHERE type = 'team.created';
INSERT INTO identity.owner_versions BY NAME
SELECT 'big' AS org, seq AS from_seq, team_id(n) AS team_id, user_id(60 * n) AS user_id, happened AS since
FROM log WHERE type = 'team_owner.added';
INSERT INTO identity.membership_versions BY NAME
WITH turns AS (
    SELECT *, lead(seq) OVER (PARTITION BY n ORDER BY seq) AS until_seq FROM log WHERE type = 'team.updated'
)
SELECT 'big' AS org, seq AS from_seq, until_seq, team_id((n // 60 + (kind = 'moved')::INTEGER) % getvariable('teams')) AS team_id,
    user_id(n) AS user_id, happened AS since, 'scim' AS origin
FROM turns WHERE kind <> 'gone' ORDER BY seq;
INSERT INTO identity.grant_versions BY NAME
SELECT 'big' AS org, seq AS from_seq, 'grant-' || seq AS grant_id, kind AS holder_kind,
    CASE WHEN kind = 'team' THEN team_id(n) ELSE user_id(n) END AS holder_id,
    CASE WHEN n % 4 = 0 THEN 'admin' ELSE 'editor' END AS role, 'organization' AS scope_kind, happened AS granted_at,
    'cli' AS granted_by, 'needed' AS reason
FROM log WHERE type = 'role.granted';

INSERT INTO identity.access_changes BY NAME
SELECT 'big' AS org, happened::DATE AS day, seq, 'event-' || lpad(seq::VARCHAR, 30, '0') AS event_id, happened AS occurred_at,
    CASE WHEN type IN ('user.created', 'user.reactivated') THEN 'joiner' WHEN type = 'user.deactivated' THEN 'leaver' ELSE 'mover' END AS change,
    CASE
        WHEN type = 'user.created' THEN 'created' WHEN type = 'user.reactivated' THEN 'reactivated'
        WHEN type = 'user.deactivated' THEN 'deactivated' WHEN type = 'user.updated' THEN 'changed_job'
        WHEN kind = 'gone' THEN 'left_team' ELSE 'joined_team'
    END AS how,
    user_id(n) AS user_id, user_name(n) AS user_name, 'Person ' || n AS display_name, user_name(n) AS email,
    'Department ' || n % 40 AS department, 'token-1' AS actor, 'okta' AS idp, 'Team ' || n // 60 AS teams
FROM log
WHERE type IN ('user.created', 'user.updated', 'user.deactivated', 'user.reactivated', 'team.updated') ORDER BY seq;
INSERT INTO identity.deprovisioned_accounts BY NAME
SELECT
    gone.org, gone.day, gone.seq, gone.event_id, gone.occurred_at, gone.how, gone.user_id, gone.user_name,
    gone.display_name, gone.email, gone.department, gone.actor, gone.idp, gone.occurred_at AS received_at,
    CASE WHEN gone.seq % 100 = 0 THEN gone.occurred_at - INTERVAL 2 DAY END AS asserted_at,
    gone.occurred_at AS access_ended_at, gone.teams, '' AS grants, '' AS tokens, 0 AS latency_seconds,
    true AS within_sla, back.occurred_at AS returned_at
FROM identity.access_changes AS gone
LEFT JOIN identity.access_changes AS back ON back.user_id = gone.user_id AND back.how = 'reactivated'
WHERE gone.change = 'leaver';
INSERT INTO identity.tokens BY NAME
SELECT cut.day, 'big' AS org, cut.seq, 'token-1' AS token_id, 'Okta' AS description, 'okta' AS idp,
    getvariable('begins') AS created_at, getvariable('begins') + INTERVAL 400 DAY AS expires_at
FROM identity.snapshot_cuts AS cut;

INSERT INTO identity.campaigns BY NAME
SELECT 'big' AS org, 'review-1' AS campaign_id, 'Q3' AS name, 'organization' AS scope, happened AS opened_at, 'cli' AS opened_by,
    happened + INTERVAL 20 DAY AS due_at, seq AS as_of_event, happened + INTERVAL 19 DAY AS closed_at, 'cli' AS closed_by
FROM log WHERE happened >= getvariable('begins') + INTERVAL 290 DAY ORDER BY seq LIMIT 1;
INSERT INTO identity.review_items BY NAME
SELECT
    'big' AS org, 'review-1' AS campaign_id, row_number() OVER (ORDER BY held.from_seq, held.user_id) AS item_id, held.user_id,
    replace(held.user_id, 'user', 'person') AS user_name, 'team' AS access_kind, held.team_id AS access_id,
    held.team_id AS access_name, 'identity_provider' AS managed_by, false AS privileged,
    user_id(hash(held.team_id) % getvariable('users')) AS reviewer_id, 'reviewer' AS reviewer_name,
    CASE WHEN hash(held.user_id) % 50 = 0 THEN 'revoke' ELSE 'keep' END AS decision, 'as agreed' AS reason,
    review.opened_at + INTERVAL 1 SECOND * (hash(held.user_id, 'decided') % 1500000)::INTEGER AS decided_at,
    user_id(hash(held.team_id) % getvariable('users')) AS decided_by
FROM identity.membership_versions AS held INNER JOIN identity.campaigns AS review
    ON held.from_seq <= review.as_of_event AND (held.until_seq IS NULL OR held.until_seq > review.as_of_event);
