-- Refused writes by identity provider, cause and resource.
SELECT
    org, idp, cause, subject_kind AS resource, count(*) AS failures,
    count(DISTINCT coalesce(subject_name, path)) AS subjects, min(occurred_at) AS first_at, max(occurred_at) AS last_at,
    arg_max(request_id, seq) AS sample_request_id, arg_max(subject_name, seq) AS sample_subject,
    arg_max(detail, seq) AS sample_detail, any_value(meaning) AS meaning, any_value(what_to_do) AS what_to_do
FROM identity.sync_failures
GROUP BY org, idp, cause, subject_kind
