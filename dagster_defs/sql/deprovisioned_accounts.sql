-- Each leaver of the block with what the account lost.
INSERT INTO identity.deprovisioned_accounts BY NAME
WITH leavers AS (
    SELECT seq, user_id FROM identity.access_changes
    WHERE org = getvariable('org') AND change = 'leaver'
        AND seq > getvariable('after') AND seq <= getvariable('until')
),
holders AS (
    SELECT seq, user_id, 'user' AS holder_kind, user_id AS holder_id, NULL::VARCHAR AS team_name FROM leavers
    UNION ALL
    SELECT leavers.seq, leavers.user_id, 'team', member.team_id, team.display_name
    FROM leavers
    INNER JOIN identity.membership_versions AS member
        ON member.org = getvariable('org') AND member.user_id = leavers.user_id
        AND member.from_seq <= getvariable('until') -- said also where it follows: what came later is left unread
        AND holds(member.from_seq, member.until_seq, leavers.seq - 1)
    INNER JOIN identity.team_versions AS team
        ON team.org = getvariable('org') AND team.team_id = member.team_id
        AND holds(team.from_seq, team.until_seq, leavers.seq - 1)
),
lost AS (
    SELECT
        holders.seq, holders.user_id,
        string_agg(
            concat(
                held.role, ' on ', coalesce(place.name, replace(held.scope_kind, '_', ' ')),
                ' through team ' || holders.team_name
            ), '; ' ORDER BY held.role, place.name, holders.team_name
        ) AS grants
    FROM holders
    INNER JOIN identity.grant_versions AS held
        ON held.org = getvariable('org') AND held.holder_kind = holders.holder_kind
        AND held.holder_id = holders.holder_id AND holds(held.from_seq, held.until_seq, holders.seq - 1)
    LEFT JOIN identity.place_versions AS place
        ON place.org = held.org AND place.scope_kind = held.scope_kind AND place.scope_id = held.scope_id
        AND holds(place.from_seq, place.until_seq, holders.seq - 1)
    GROUP BY holders.seq, holders.user_id
),
keys AS (
    SELECT leavers.seq, leavers.user_id, string_agg(made.subject_name, '; ' ORDER BY made.seq) AS tokens
    FROM leavers
    INNER JOIN identity.provisioning_events AS made
        ON made.org = getvariable('org') AND made.type = 'api_key.created' AND made.seq < leavers.seq
        AND made.actor = leavers.user_id
    ANTI JOIN identity.provisioning_events AS ended
        ON ended.org = made.org AND ended.type = 'api_key.revoked' AND ended.subject_id = made.subject_id
        AND ended.seq < leavers.seq
    GROUP BY leavers.seq, leavers.user_id
),
-- The agreement as it was when access ended; the present one, where the log tells of none.
agreed AS (
    SELECT leavers.seq, any_value(setting.value)::BIGINT AS seconds
    FROM leavers INNER JOIN identity.setting_versions AS setting
        ON setting.org = getvariable('org') AND setting.name = 'deprovision_sla_seconds'
        AND holds(setting.from_seq, setting.until_seq, leavers.seq)
    GROUP BY leavers.seq
)
SELECT
    gone.org, gone.day, gone.seq, gone.event_id, gone.occurred_at, gone.how, gone.user_id, gone.user_name,
    gone.display_name, gone.email, gone.department, gone.actor, gone.idp, gone.asserted_at,
    gone.occurred_at AS received_at, gone.occurred_at AS access_ended_at,
    epoch(gone.occurred_at - coalesce(gone.asserted_at, gone.occurred_at)) AS latency_seconds,
    epoch(gone.occurred_at - coalesce(gone.asserted_at, gone.occurred_at)) <= coalesce(agreed.seconds, known.deprovision_sla_seconds)
        AS within_sla,
    gone.teams, coalesce(lost.grants, '') AS grants, coalesce(keys.tokens, '') AS tokens
FROM identity.access_changes AS gone INNER JOIN identity.organizations AS known ON known.org = gone.org
LEFT JOIN agreed ON agreed.seq = gone.seq
LEFT JOIN lost ON lost.seq = gone.seq AND lost.user_id = gone.user_id
LEFT JOIN keys ON keys.seq = gone.seq AND keys.user_id = gone.user_id
WHERE gone.org = getvariable('org') AND gone.change = 'leaver'
    AND gone.seq > getvariable('after') AND gone.seq <= getvariable('until')
ORDER BY gone.seq;

-- Who comes back is known by the id of the account: a name may be given to somebody else.
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
) AS back
WHERE gone.org = getvariable('org') AND gone.seq = back.seq;
