-- Settings of the organization, as they were set. What the first change of a setting says was before it, held from the
-- beginning (event 0); where it says nothing, nobody knows.
CREATE OR REPLACE TEMP TABLE steps AS
WITH told AS (
    SELECT name, seq, change ->> ('$.attributes.' || name || '.before') AS earlier,
        change ->> ('$.attributes.' || name || '.after') AS value
    FROM (
        SELECT seq, change, unnest(json_keys(change, '$.attributes')) AS name
        FROM batch WHERE type IN ('organization.created', 'settings.changed')
    )
)
SELECT name, seq, false AS ended, value FROM told
UNION ALL
SELECT name, 0, false, arg_min_null(earlier, seq) FROM told
ANTI JOIN (SELECT name FROM identity.setting_versions WHERE org = getvariable('org')) AS known USING (name)
GROUP BY name HAVING arg_min_null(earlier, seq) IS NOT NULL
UNION ALL
SELECT 'scim_enabled', seq, false, if(type = 'scim.enabled', 'true', 'false')
FROM batch WHERE type IN ('scim.enabled', 'scim.disabled');
