-- Access on the newest day that nobody answers for.
WITH cut AS (
    SELECT org, max(day) AS day, max(seq) AS seq FROM identity.snapshot_cuts GROUP BY org
),
people AS (
    SELECT users.* FROM identity.users INNER JOIN cut USING (org, day)
),
groups AS (
    SELECT teams.* FROM identity.teams INNER JOIN cut USING (org, day)
),
members AS (
    SELECT team_members.* FROM identity.team_members INNER JOIN cut USING (org, day) WHERE NOT team_members.pending
),
held AS (
    SELECT role_grants.* FROM identity.role_grants INNER JOIN cut USING (org, day)
),
owners AS (
    SELECT version.org, version.team_id, version.user_id FROM cut INNER JOIN identity.owner_versions AS version
        ON version.org = cut.org AND version.from_seq <= cut.seq
        AND (version.until_seq IS NULL OR version.until_seq > cut.seq)
),
found AS (
    SELECT
        members.org, 'inactive_member' AS finding, people.user_id, people.user_name, groups.team_id,
        groups.display_name AS team_name, NULL::VARCHAR AS grant_id, NULL::VARCHAR AS role,
        NULL::VARCHAR AS scope_kind, NULL::VARCHAR AS scope_id, NULL::VARCHAR AS scope_name,
        people.deactivated_at AS since, 'still listed in the team; it gives no access while inactive' AS detail
    FROM members
    INNER JOIN people ON people.org = members.org AND people.user_id = members.user_id AND NOT people.active
    INNER JOIN groups ON groups.org = members.org AND groups.team_id = members.team_id
    UNION ALL BY NAME
    SELECT
        held.org, 'inactive_holder' AS finding, held.holder_id AS user_id, people.user_name, held.grant_id, held.role,
        held.scope_kind, held.scope_id, held.scope_name, coalesce(people.deactivated_at, held.granted_at) AS since,
        if(people.user_id IS NULL, 'granted to an account that is no more', 'granted to an inactive account') AS detail
    FROM held LEFT JOIN people ON people.org = held.org AND people.user_id = held.holder_id
    WHERE held.holder_kind = 'user' AND people.active IS DISTINCT FROM true
    UNION ALL BY NAME
    SELECT
        held.org, 'scope_is_gone' AS finding, held.grant_id, held.role, held.scope_kind, held.scope_id,
        if(held.holder_kind = 'user', held.holder_id, NULL) AS user_id,
        if(held.holder_kind = 'user', held.holder_name, NULL) AS user_name,
        if(held.holder_kind = 'team', held.holder_id, NULL) AS team_id,
        if(held.holder_kind = 'team', held.holder_name, NULL) AS team_name,
        held.granted_at AS since, 'granted on a deployment or code location that is no more' AS detail
    FROM held WHERE held.scope_name IS NULL
    UNION ALL BY NAME
    SELECT
        org, 'team_without_members' AS finding, team_id, display_name AS team_name, updated_at AS since,
        'nobody is in the team' AS detail
    FROM groups ANTI JOIN members USING (org, team_id)
    UNION ALL BY NAME
    SELECT
        org, 'team_without_owners' AS finding, team_id, display_name AS team_name, created_at AS since,
        'nobody reviews who is in the team' AS detail
    FROM groups ANTI JOIN owners USING (org, team_id)
)
SELECT cut.day, cut.seq, found.* FROM found INNER JOIN cut USING (org)
