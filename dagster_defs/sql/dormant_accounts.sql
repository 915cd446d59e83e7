-- Active accounts on the newest day without a sign-in and without a change for {days} days.
WITH cut AS (
    SELECT org, max(day) AS day FROM identity.snapshot_cuts GROUP BY org
),
sign_ins AS (
    SELECT org, actor AS user_id, max(occurred_at) AS last_sign_in_at
    FROM identity.provisioning_events WHERE type = 'session.started' GROUP BY org, actor
),
known AS (
    SELECT
        users.*, sign_ins.last_sign_in_at,
        greatest(users.created_at, users.updated_at, coalesce(sign_ins.last_sign_in_at, users.created_at)) AS last_seen_at
    FROM identity.users INNER JOIN cut USING (org, day)
    LEFT JOIN sign_ins ON sign_ins.org = users.org AND sign_ins.user_id = users.user_id
    WHERE users.active
)
SELECT *, updated_at AS last_changed_at, date_diff('day', last_seen_at::DATE, day) AS idle_days
FROM known WHERE date_diff('day', last_seen_at::DATE, day) >= {days}
