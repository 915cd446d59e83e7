-- The scopes there are at each cut, with their names and the wider scopes whose roles hold in them.
WITH deployments AS (
    SELECT cut.day, cut.org, place.scope_id, place.name, place.kind
    FROM identity.snapshot_cuts AS cut INNER JOIN identity.place_versions AS place
        ON place.org = cut.org AND place.scope_kind = 'deployment'
        AND place.from_seq <= cut.seq AND (place.until_seq IS NULL OR place.until_seq > cut.seq)
)
SELECT day, org, 'organization' AS scope_kind, NULL::VARCHAR AS scope_id, 'organization' AS scope_name,
    []::VARCHAR[] AS wider
FROM identity.snapshot_cuts
UNION ALL
SELECT day, org, 'all_branch_deployments', NULL, 'all branch deployments', ['organization'] FROM identity.snapshot_cuts
UNION ALL
SELECT day, org, 'deployment', scope_id, name, if(kind = 'branch', ['organization', 'all_branch_deployments'], ['organization'])
FROM deployments
UNION ALL
SELECT
    cut.day, cut.org, 'code_location', place.scope_id, deployments.name || '/' || place.name,
    list_concat(
        if(deployments.kind = 'branch', ['organization', 'all_branch_deployments'], ['organization']),
        ['deployment' || deployments.scope_id]
    )
FROM identity.snapshot_cuts AS cut INNER JOIN identity.place_versions AS place
    ON place.org = cut.org AND place.scope_kind = 'code_location'
    AND place.from_seq <= cut.seq AND (place.until_seq IS NULL OR place.until_seq > cut.seq)
INNER JOIN deployments
    ON deployments.day = cut.day AND deployments.org = cut.org AND deployments.scope_id = place.deployment_id
