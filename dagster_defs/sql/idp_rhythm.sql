-- How often each identity provider is heard of: the longest pause of the last 30 days, and half of it again.
WITH heard AS (
    SELECT org, idp, occurred_at FROM identity.provisioning_events WHERE idp IS NOT NULL
),
last AS (
    SELECT org, idp, max(occurred_at) AS last_event_at FROM heard GROUP BY org, idp
),
hours AS (
    SELECT DISTINCT heard.org, heard.idp, date_trunc('hour', heard.occurred_at) AS hour, last.last_event_at
    FROM heard INNER JOIN last ON last.org = heard.org AND last.idp = heard.idp
    WHERE heard.occurred_at > last.last_event_at - INTERVAL 30 DAY
),
pauses AS (
    SELECT *, epoch(hour - lag(hour) OVER (PARTITION BY org, idp ORDER BY hour)) AS pause FROM hours
)
SELECT
    org, idp, last_event_at, count(pause) AS pauses, max(pause) AS longest_pause_seconds,
    if(count(pause) >= 10, greatest(1.5 * max(pause), 6 * 3600.0), NULL) AS allowed_silence_seconds
FROM pauses GROUP BY org, idp, last_event_at
