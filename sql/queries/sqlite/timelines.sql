-- name: CountByTime :many
-- The fleet's tags in each bucket of time that has any. The origin is no later than any tag, so that
-- the division rounds down.
SELECT CAST((t.observed_at - CAST(sqlc.arg(origin) AS INTEGER)) / CAST(sqlc.arg(width) AS INTEGER) AS INTEGER) AS bucket,
       t.technique_key, COUNT(*) AS tags
FROM ttp_tag t INDEXED BY ttp_tag_observed
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
      t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.confidence >= sqlc.arg(min_confidence)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
      AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY bucket, t.technique_key;

-- name: CountScopeByTime :many
-- The same for the one scope that is not NULL.
WITH asked_campaign AS (
    SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                         sqlc.arg(campaign_uuid)) AS BLOB) AS uuid
), campaign AS (
    SELECT uuid FROM asked_campaign
    UNION ALL
    SELECT c.uuid FROM asked_campaign
    CROSS JOIN ttp_campaign c ON c.survivor_uuid = asked_campaign.uuid AND c.uuid <> asked_campaign.uuid
), asked_identity AS (
    SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                         sqlc.arg(identity_uuid)) AS BLOB) AS uuid
), member AS (
    SELECT uuid FROM asked_identity
    UNION ALL
    SELECT i.uuid FROM asked_identity
    CROSS JOIN ttp_identity i ON i.survivor_uuid = asked_identity.uuid AND i.uuid <> asked_identity.uuid
    UNION ALL
    SELECT m.uuid
    FROM campaign
    CROSS JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
    CROSS JOIN ttp_identity m ON m.survivor_uuid = s.uuid
), scoped AS (
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM ttp_tag t WHERE t.attacker_uuid = sqlc.arg(attacker_uuid)
    UNION ALL
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM ttp_tag t WHERE t.session_id = sqlc.arg(session_id)
    UNION ALL
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM member
    CROSS JOIN ttp_tag t ON t.identity_uuid = member.uuid
    UNION ALL
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM member
    CROSS JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    CROSS JOIN ttp_tag t ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
)
SELECT CAST((t.observed_at - CAST(sqlc.arg(origin) AS INTEGER)) / CAST(sqlc.arg(width) AS INTEGER) AS INTEGER) AS bucket,
       t.technique_key, COUNT(*) AS tags
FROM scoped t
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
      t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.confidence >= sqlc.arg(min_confidence)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
      AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.uuid = t.uuid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY bucket, t.technique_key;
