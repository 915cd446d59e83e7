-- Each leaver of the block with what the account lost.
INSERT INTO identity.deprovisioned_accounts BY NAME
SELECT
    gone.org, gone.day, gone.seq, gone.event_id, gone.occurred_at, gone.how, gone.user_id, gone.user_name,
    gone.display_name, gone.email, gone.department, gone.actor, gone.idp, gone.asserted_at,
    gone.occurred_at AS received_at, gone.occurred_at AS access_ended_at,
    epoch(gone.occurred_at - coalesce(gone.asserted_at, gone.occurred_at)) AS latency_seconds,
    epoch(gone.occurred_at - coalesce(gone.asserted_at, gone.occurred_at)) <= known.deprovision_sla_seconds AS within_sla,
    gone.teams, '' AS grants, '' AS tokens
FROM identity.access_changes AS gone INNER JOIN identity.organizations AS known ON known.org = gone.org
WHERE gone.org = getvariable('org') AND gone.change = 'leaver'
    AND gone.seq > getvariable('after') AND gone.seq <= getvariable('until')
ORDER BY gone.seq;

-- Who comes back, under the same id or the same name, is no longer gone.
UPDATE identity.deprovisioned_accounts AS gone SET returned_at = back.occurred_at
FROM (
    SELECT left_before.seq, min(joiner.occurred_at) AS occurred_at
    FROM identity.deprovisioned_accounts AS left_before
    INNER JOIN identity.access_changes AS joiner
        ON joiner.org = left_before.org AND joiner.change = 'joiner' AND joiner.seq > left_before.seq
        AND joiner.user_id = left_before.user_id
    WHERE left_before.org = getvariable('org') AND left_before.returned_at IS NULL
        AND joiner.seq > getvariable('after') AND joiner.seq <= getvariable('until')
    GROUP BY left_before.seq
    UNION ALL
    SELECT left_before.seq, min(joiner.occurred_at)
    FROM identity.deprovisioned_accounts AS left_before
    INNER JOIN identity.access_changes AS joiner
        ON joiner.org = left_before.org AND joiner.change = 'joiner' AND joiner.seq > left_before.seq
        AND joiner.user_id <> left_before.user_id
        AND same_name(joiner.user_name) = same_name(left_before.user_name)
    WHERE left_before.org = getvariable('org') AND left_before.returned_at IS NULL
        AND joiner.seq > getvariable('after') AND joiner.seq <= getvariable('until')
    GROUP BY left_before.seq
) AS back
WHERE gone.org = getvariable('org') AND gone.seq = back.seq;
