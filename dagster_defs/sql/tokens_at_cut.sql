-- The tokens of `tokens_now` as they were at each of `days`: by the log, so that a past day says the same whenever it is
-- asked. `written` is the one use that the log tells; the day that is running also knows of reads.
WITH described AS (
    SELECT org, subject_id AS token_id, seq, type, occurred_at, change FROM identity.provisioning_events
    WHERE subject_kind = 'token'
),
told AS (
    SELECT
        days.day, days.org, days.seq, event.token_id,
        max(event.occurred_at) FILTER (event.type = 'token.revoked' AND event.seq <= days.seq) AS revoked_at,
        arg_min(event.change, event.seq) FILTER (event.type = 'token.described' AND event.seq > days.seq) AS renamed,
        arg_min(event.change, event.seq) FILTER (event.type = 'token.rotated' AND event.seq > days.seq) AS rotated
    FROM days INNER JOIN described AS event ON event.org = days.org
    GROUP BY ALL
    HAVING min(event.seq) <= days.seq
),
uses AS (
    SELECT event.org, event.actor AS token_id, event.day, max(event.occurred_at) AS moment
    FROM identity.provisioning_events AS event
    SEMI JOIN tokens_now AS known ON known.org = event.org AND known.token_id = event.actor
    GROUP BY ALL
),
written AS (
    SELECT days.day, days.org, uses.token_id, max(uses.moment) AS moment
    FROM days INNER JOIN uses ON uses.org = days.org AND uses.day <= days.day GROUP BY ALL
)
SELECT
    told.day, told.org, told.seq, known.token_id, known.idp, known.created_at, known.created_by,
    coalesce(told.renamed ->> '$.attributes.description.before', known.description) AS description,
    coalesce(told.rotated ->> '$.attributes.expires_at.before', known.expires_at) AS expires_at,
    told.revoked_at,
    if(days.running, greatest(written.moment, known.last_used_at::TIMESTAMP), written.moment) AS last_used_at
FROM told
INNER JOIN days ON days.day = told.day AND days.org = told.org
INNER JOIN tokens_now AS known ON known.org = told.org AND known.token_id = told.token_id
LEFT JOIN written ON written.day = told.day AND written.org = told.org AND written.token_id = told.token_id
