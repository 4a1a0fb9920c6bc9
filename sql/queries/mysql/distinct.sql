-- name: CountDistinct :many
-- What the covering indexes do not hold, for the whole fleet: how many sources, attackers and
-- identities show each technique. A tag that names no identity counts for its attacker's; merged
-- identities count as their survivor.
SELECT CAST(r.technique_key DIV 10000000000 AS SIGNED) AS technique,
       COUNT(DISTINCT CONCAT(r.source_kind, '|', r.source_id)) AS sources,
       COUNT(DISTINCT r.attacker_uuid) AS attackers,
       COUNT(DISTINCT COALESCE(i.survivor_uuid, r.identity_uuid, a.identity_uuid)) AS identities
FROM ttp_tag r
LEFT JOIN ttp_attacker a ON a.uuid = r.attacker_uuid
LEFT JOIN ttp_identity i ON i.uuid = COALESCE(r.identity_uuid, a.identity_uuid)
WHERE r.observed_at >= sqlc.arg(since) AND r.observed_at < sqlc.arg(before)
  AND r.technique_key >= sqlc.arg(first_key) AND r.technique_key <= sqlc.arg(last_key) -- for the index
  AND (CAST(sqlc.arg(any_tag) AS SIGNED) = 1 OR (
      r.technique_key >= sqlc.arg(first_key) AND r.technique_key <= sqlc.arg(last_key)
      AND r.confidence >= sqlc.arg(min_confidence)
      AND r.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) >= CAST(sqlc.arg(first_digits) AS SIGNED)
      AND r.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) <= CAST(sqlc.arg(last_digits) AS SIGNED)
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.uuid = r.uuid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY technique;

-- name: CountScopeDistinct :many
-- The same for the one scope that is not NULL.
WITH asked_campaign AS (
    SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                         sqlc.arg(campaign_uuid)) AS BINARY(16)) AS uuid
), campaign AS (
    SELECT uuid FROM asked_campaign
    UNION ALL
    SELECT c.uuid FROM asked_campaign
    STRAIGHT_JOIN ttp_campaign c ON c.survivor_uuid = asked_campaign.uuid AND c.uuid <> asked_campaign.uuid
), asked_identity AS (
    SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                         sqlc.arg(identity_uuid)) AS BINARY(16)) AS uuid
), member AS (
    SELECT uuid FROM asked_identity
    UNION ALL
    SELECT i.uuid FROM asked_identity
    STRAIGHT_JOIN ttp_identity i ON i.survivor_uuid = asked_identity.uuid AND i.uuid <> asked_identity.uuid
    UNION ALL
    SELECT m.uuid
    FROM campaign
    STRAIGHT_JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
    STRAIGHT_JOIN ttp_identity m ON m.survivor_uuid = s.uuid
), scoped AS (
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM ttp_tag t WHERE t.attacker_uuid = sqlc.arg(attacker_uuid)
    UNION ALL
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM ttp_tag t WHERE t.session_id = sqlc.arg(session_id)
    UNION ALL
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM member
    STRAIGHT_JOIN ttp_tag t ON t.identity_uuid = member.uuid
    UNION ALL
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM member
    STRAIGHT_JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_attacker) ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
)
SELECT CAST(t.technique_key DIV 10000000000 AS SIGNED) AS technique,
       COUNT(DISTINCT CONCAT(r.source_kind, '|', r.source_id)) AS sources,
       COUNT(DISTINCT r.attacker_uuid) AS attackers,
       COUNT(DISTINCT COALESCE(i.survivor_uuid, r.identity_uuid, a.identity_uuid)) AS identities
FROM scoped t
STRAIGHT_JOIN ttp_tag r ON r.uuid = t.uuid
LEFT JOIN ttp_attacker a ON a.uuid = r.attacker_uuid
LEFT JOIN ttp_identity i ON i.uuid = COALESCE(r.identity_uuid, a.identity_uuid)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND (CAST(sqlc.arg(any_tag) AS SIGNED) = 1 OR (
      t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.confidence >= sqlc.arg(min_confidence)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) >= CAST(sqlc.arg(first_digits) AS SIGNED)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) <= CAST(sqlc.arg(last_digits) AS SIGNED)
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.uuid = t.uuid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY technique;
