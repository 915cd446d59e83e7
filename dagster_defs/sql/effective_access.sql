-- The most permissive role of each active account in each scope where it has more than in the wider ones.
-- Nothing is made for all days before one is asked for: each window is of a day, and no step is read twice.
WITH people AS NOT MATERIALIZED (
    SELECT day, org, seq, user_id, user_name FROM identity.users WHERE active
),
defaults AS NOT MATERIALIZED (
    SELECT cut.day, cut.org, setting.value AS role
    FROM identity.snapshot_cuts AS cut LEFT JOIN identity.setting_versions AS setting
        ON setting.org = cut.org AND setting.name = 'default_role' AND setting.from_seq <= cut.seq
        AND (setting.until_seq IS NULL OR setting.until_seq > cut.seq)
),
sources AS NOT MATERIALIZED (
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
best AS NOT MATERIALIZED (
    SELECT *, scope_kind || coalesce(scope_id, '') AS scope, list_position([{roles}], role) AS rank
    FROM sources
    QUALIFY row_number() OVER (
        PARTITION BY day, org, user_id, scope_kind, scope_id ORDER BY list_position([{roles}], role), told, grant_id
    ) = 1
),
compared AS NOT MATERIALIZED (
    SELECT
        best.*, place.wider,
        list({scope: best.scope, rank: best.rank}) OVER (PARTITION BY best.day, best.org, best.user_id) AS held
    FROM best LEFT JOIN identity.places AS place
        ON place.day = best.day AND place.org = best.org AND place.scope_kind = best.scope_kind
        AND place.scope_id IS NOT DISTINCT FROM best.scope_id
)
SELECT *, role IN ({privileged_roles}) AS privileged
FROM compared
WHERE scope_kind = 'organization'
    OR len(list_filter(held, lambda other: list_contains(wider, other.scope) AND other.rank <= rank)) = 0
