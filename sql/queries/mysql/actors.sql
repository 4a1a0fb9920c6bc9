-- name: TopIdentities :many
-- The identities with the most tags, the merged ones as their survivor. A tag that names no identity
-- counts for its attacker's.
SELECT CAST(COALESCE(i.survivor_uuid, r.identity_uuid, a.identity_uuid) AS BINARY(16)) AS actor_uuid,
       COUNT(*) AS tags,
       CAST(MIN(r.observed_at) AS SIGNED) AS first_seen, CAST(MAX(r.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag r FORCE INDEX (ttp_tag_technique)
LEFT JOIN ttp_attacker a ON r.identity_uuid IS NULL AND a.uuid = r.attacker_uuid
LEFT JOIN ttp_identity i ON i.uuid = COALESCE(r.identity_uuid, a.identity_uuid)
WHERE (r.identity_uuid IS NOT NULL OR a.identity_uuid IS NOT NULL)
  AND r.observed_at >= sqlc.arg(since) AND r.observed_at < sqlc.arg(before)
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
GROUP BY actor_uuid
ORDER BY tags DESC, actor_uuid
LIMIT ?;

-- name: TopAttackers :many
-- The attackers with the most tags.
SELECT r.attacker_uuid AS actor_uuid,
       COUNT(*) AS tags,
       CAST(MIN(r.observed_at) AS SIGNED) AS first_seen, CAST(MAX(r.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag r FORCE INDEX (ttp_tag_technique)
WHERE r.attacker_uuid IS NOT NULL
  AND r.observed_at >= sqlc.arg(since) AND r.observed_at < sqlc.arg(before)
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
GROUP BY actor_uuid
ORDER BY tags DESC, actor_uuid
LIMIT ?;

-- name: TopSessions :many
-- The sessions with the most tags.
SELECT r.session_id,
       COUNT(*) AS tags,
       CAST(MIN(r.observed_at) AS SIGNED) AS first_seen, CAST(MAX(r.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag r FORCE INDEX (ttp_tag_technique)
WHERE r.session_id IS NOT NULL
  AND r.observed_at >= sqlc.arg(since) AND r.observed_at < sqlc.arg(before)
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
GROUP BY r.session_id
ORDER BY tags DESC, r.session_id
LIMIT ?;

-- name: TopCampaigns :many
-- The campaigns with the most tags, the merged ones as their survivor: those of the surviving
-- identities, as ListTechniquesByCampaign sees them.
SELECT CAST(COALESCE(c.survivor_uuid, s.campaign_uuid) AS BINARY(16)) AS actor_uuid,
       COUNT(*) AS tags,
       CAST(MIN(r.observed_at) AS SIGNED) AS first_seen, CAST(MAX(r.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag r FORCE INDEX (ttp_tag_technique)
LEFT JOIN ttp_attacker a ON r.identity_uuid IS NULL AND a.uuid = r.attacker_uuid
JOIN ttp_identity i ON i.uuid = COALESCE(r.identity_uuid, a.identity_uuid)
JOIN ttp_identity s ON s.uuid = i.survivor_uuid AND s.merged_into_uuid IS NULL
LEFT JOIN ttp_campaign c ON c.uuid = s.campaign_uuid
WHERE s.campaign_uuid IS NOT NULL
  AND r.observed_at >= sqlc.arg(since) AND r.observed_at < sqlc.arg(before)
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
GROUP BY actor_uuid
ORDER BY tags DESC, actor_uuid
LIMIT ?;
