-- What the events of the block show that a person should know of.
INSERT INTO identity.findings BY NAME
WITH gone AS (
    SELECT * FROM identity.deprovisioned_accounts
    WHERE org = getvariable('org') AND seq > getvariable('after') AND seq <= getvariable('until')
),
called AS (
    SELECT subject_id AS actor, arg_max(concat(replace(subject_kind, '_', ' '), ' ', subject_name), seq) AS name
    FROM identity.provisioning_events
    WHERE org = getvariable('org') AND subject_kind IN ('token', 'api_key', 'user') AND subject_name IS NOT NULL
        AND subject_id IN (SELECT actor FROM gone WHERE idp IS NULL)
    GROUP BY subject_id
)
SELECT
    gone.event_id AS key, gone.org, 'deprovisioned' AS rule, 'info' AS severity,
    'Account deprovisioned: ' || coalesce(gone.user_name, gone.user_id) AS title,
    concat_ws(', ', gone.display_name, gone.user_name, gone.department) AS who,
    concat(
        'the account was ', gone.how, ' by ', coalesce(gone.idp, called.name, gone.actor),
        '. Teams lost: ', coalesce(nullif(gone.teams, ''), 'none'),
        '. Roles lost: ', coalesce(nullif(gone.grants, ''), 'the default role'),
        '. Keys lost: ', coalesce(nullif(gone.tokens, ''), 'none'), '. Event ', gone.seq, '.',
        ' It came back at ' || strftime(gone.returned_at, '%Y-%m-%d %H:%M:%S') || ' UTC.'
    ) AS what,
    'access ended here; make sure that it ended everywhere else too.' AS why,
    gone.occurred_at, gone.user_id, 'deprovisioned_accounts' AS asset, gone.seq
FROM gone LEFT JOIN called ON called.actor = gone.actor
UNION ALL BY NAME
SELECT
    gone.event_id || '/late' AS key, gone.org, 'late_deprovisioning' AS rule, 'critical' AS severity,
    'Access ended too late: ' || coalesce(gone.user_name, gone.user_id) AS title,
    concat_ws(', ', gone.display_name, gone.user_name, gone.department) AS who,
    concat(
        'access ended ', if(
            gone.latency_seconds < 7200, gone.latency_seconds::BIGINT || ' s',
            printf('%.1f hours', gone.latency_seconds / 3600)
        ), ' after the identity provider said so.'
    ) AS what,
    'the agreement on leavers was not kept; an auditor will ask for the reason.' AS why,
    gone.occurred_at, gone.user_id, 'deprovisioned_accounts' AS asset, gone.seq
FROM gone WHERE NOT gone.within_sla
UNION ALL BY NAME
SELECT
    failure.id AS key, failure.org, 'refused_write' AS rule, 'warning' AS severity,
    'SCIM write refused: ' || coalesce(failure.subject_name, failure.path) AS title,
    coalesce(failure.subject_name, failure.path) AS who,
    concat(
        failure.method, ' ', failure.path, ' of ', coalesce(failure.idp, 'an unknown identity provider'),
        ' was answered ', failure.status, ' ' || failure.scim_type, ': ', failure.detail, '. ', failure.meaning,
        ' Event ', failure.seq, ', request ' || failure.request_id, '.'
    ) AS what,
    'the identity provider believes what is not so here. ' || failure.what_to_do AS why,
    failure.occurred_at, 'sync_failures' AS asset, failure.seq
FROM identity.sync_failures AS failure
WHERE failure.org = getvariable('org') AND failure.seq > getvariable('after') AND failure.seq <= getvariable('until')
UNION ALL BY NAME
SELECT
    event.id AS key, event.org, 'organization_orphaned' AS rule, 'critical' AS severity,
    'Nobody administers the organization' AS title, coalesce(event.subject_name, event.org) AS who,
    'the last Organization Admin lost access through the identity provider.' AS what,
    'nobody can sign in to manage it; use the break-glass account.' AS why,
    event.occurred_at, 'effective_access' AS asset, event.seq
FROM identity.provisioning_events AS event
WHERE event.org = getvariable('org') AND event.seq > getvariable('after') AND event.seq <= getvariable('until')
    AND event.type = 'organization.orphaned'
ORDER BY seq;
