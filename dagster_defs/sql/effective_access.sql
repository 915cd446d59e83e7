-- The most permissive role of each active account in each scope where it has more than in the wider ones.
WITH ranks AS (
    SELECT unnest([{roles}]) AS role, unnest(range(len([{roles}]))) AS rank
),
people AS (
    SELECT day, org, seq, user_id, user_name FROM identity.users WHERE active
),
defaults AS (
    SELECT cut.day, cut.org, setting.value AS role
    FROM identity.snapshot_cuts AS cut LEFT JOIN identity.setting_versions AS setting
        ON setting.org = cut.org AND setting.name = 'default_role' AND setting.from_seq <= cut.seq
        AND (setting.until_seq IS NULL OR setting.until_seq > cut.seq)
),
sources AS (
    SELECT
        people.*, 'organization' AS scope_kind, NULL::VARCHAR AS scope_id, 'organization' AS scope_name,
        coalesce(defaults.role, 'viewer') AS role, 'default' AS source, NULL::VARCHAR AS source_id,
        NULL::VARCHAR AS source_name, 0 AS told, NULL::VARCHAR AS grant_id
    FROM people INNER JOIN defaults ON defaults.org = people.org AND defaults.day = people.day
    UNION ALL
    SELECT
        people.*, held.scope_kind, held.scope_id, held.scope_name, held.role, 'user', held.holder_id, held.holder_name,
        1, held.grant_id
    FROM identity.role_grants AS held
    INNER JOIN people ON people.day = held.day AND people.org = held.org AND people.user_id = held.holder_id
    WHERE held.holder_kind = 'user' AND held.scope_name IS NOT NULL
    UNION ALL
    SELECT
        people.*, held.scope_kind, held.scope_id, held.scope_name, held.role, 'team', held.holder_id, held.holder_name,
        2, held.grant_id
    FROM identity.role_grants AS held
    INNER JOIN identity.membership_versions AS member
        ON member.org = held.org AND member.team_id = held.holder_id AND member.from_seq <= held.seq
        AND (member.until_seq IS NULL OR member.until_seq > held.seq)
    INNER JOIN people ON people.day = held.day AND people.org = held.org AND people.user_id = member.user_id
    WHERE held.holder_kind = 'team' AND held.scope_name IS NOT NULL
),
best AS (
    SELECT sources.*, ranks.rank, sources.scope_kind || coalesce(sources.scope_id, '') AS scope
    FROM sources INNER JOIN ranks ON ranks.role = sources.role
    QUALIFY row_number() OVER (
        PARTITION BY day, org, user_id, scope_kind, scope_id ORDER BY rank, told, grant_id
    ) = 1
),
wider AS (
    SELECT day, org, scope_kind || coalesce(scope_id, '') AS scope, unnest(wider) AS wider FROM identity.places
)
SELECT best.*, best.role IN ({privileged_roles}) AS privileged
FROM best
WHERE best.scope_kind = 'organization' OR NOT EXISTS (
    SELECT 1 FROM wider INNER JOIN best AS held ON held.scope = wider.wider
    WHERE wider.day = best.day AND wider.org = best.org AND wider.scope = best.scope
        AND held.day = best.day AND held.org = best.org AND held.user_id = best.user_id AND held.rank <= best.rank
)
