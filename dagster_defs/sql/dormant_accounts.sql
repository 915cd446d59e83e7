-- Active accounts on the newest day without a sign-in and without a change for as long as the
-- organization's setting says.
WITH cut AS (
    SELECT newest.org, newest.day, coalesce(setting.value::BIGINT, present.dormant_days) AS dormant_days
    FROM (SELECT org, max(day) AS day, arg_max(seq, day) AS seq FROM identity.snapshot_cuts GROUP BY org) AS newest
    INNER JOIN identity.organizations AS present ON present.org = newest.org
    LEFT JOIN identity.setting_versions AS setting
        ON setting.org = newest.org AND setting.name = 'dormant_days' AND setting.from_seq <= newest.seq
        AND (setting.until_seq IS NULL OR setting.until_seq > newest.seq)
),
sign_ins AS (
    SELECT org, actor AS user_id, max(occurred_at) AS last_sign_in_at
    FROM identity.provisioning_events WHERE type = 'session.started' GROUP BY org, actor
),
known AS (
    SELECT
        users.*, cut.dormant_days, sign_ins.last_sign_in_at,
        greatest(users.created_at, users.updated_at, coalesce(sign_ins.last_sign_in_at, users.created_at)) AS last_seen_at
    FROM identity.users INNER JOIN cut USING (org, day)
    LEFT JOIN sign_ins ON sign_ins.org = users.org AND sign_ins.user_id = users.user_id
    WHERE users.active
)
SELECT *, updated_at AS last_changed_at, date_diff('day', last_seen_at::DATE, day) AS idle_days
FROM known WHERE date_diff('day', last_seen_at::DATE, day) >= dormant_days
