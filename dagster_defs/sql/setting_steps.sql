-- Settings of the organization, as they were set.
CREATE OR REPLACE TEMP TABLE steps AS
SELECT name, seq, false AS ended, change ->> ('$.attributes.' || name || '.after') AS value
FROM (
    SELECT seq, change, unnest(json_keys(change, '$.attributes')) AS name
    FROM batch WHERE type IN ('organization.created', 'settings.changed')
)
UNION ALL
SELECT 'scim_enabled', seq, false, if(type = 'scim.enabled', 'true', 'false')
FROM batch WHERE type IN ('scim.enabled', 'scim.disabled');
