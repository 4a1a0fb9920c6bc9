-- name: ListRules :many
-- Statistics by rule and version, with the number of sources.
SELECT r.rule_id, r.rule_version, COUNT(*) AS tags,
       CAST(MIN(r.observed_at) AS SIGNED) AS first_seen, CAST(MAX(r.observed_at) AS SIGNED) AS last_seen,
       CAST(MIN(r.confidence) AS DOUBLE) AS confidence_min, CAST(SUM(r.confidence) AS DOUBLE) AS confidence_sum,
       CAST(MAX(r.confidence) AS DOUBLE) AS confidence_max,
       COUNT(DISTINCT CONCAT(r.source_kind, '|', r.source_id)) AS sources
FROM ttp_tag r
WHERE r.observed_at >= sqlc.arg(since) AND r.observed_at < sqlc.arg(before)
  AND r.confidence >= sqlc.arg(min_confidence) AND r.technique_key >= sqlc.arg(first_key) AND r.technique_key <= sqlc.arg(last_key)
  AND r.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = r.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY r.rule_id, r.rule_version
ORDER BY r.rule_id, r.rule_version;

-- name: ListActorsByRule :many
-- Which attackers and identities show which techniques by each version of each rule.
SELECT r.rule_id, r.rule_version, r.technique_key, r.attacker_uuid, r.identity_uuid
FROM ttp_tag r
WHERE r.observed_at >= sqlc.arg(since) AND r.observed_at < sqlc.arg(before)
  AND r.confidence >= sqlc.arg(min_confidence) AND r.technique_key >= sqlc.arg(first_key) AND r.technique_key <= sqlc.arg(last_key)
  AND r.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = r.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY r.rule_id, r.rule_version, r.technique_key, r.attacker_uuid, r.identity_uuid;

-- name: ListRulesByTechnique :many
-- Rules by technique_key, of the fleet.
SELECT t.technique_key, t.rule_id
FROM ttp_tag t
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.technique_key, t.rule_id;

-- name: ListRulesByMembers :many
-- Rules by technique_key, of a scope's members.
SELECT t.technique_key, t.rule_id
FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND (CAST(sqlc.arg(any_identity) AS SIGNED) = 1 OR t.identity_uuid IS NULL)
  AND t.attacker_uuid IN (sqlc.slice(attackers))
GROUP BY t.technique_key, t.rule_id
UNION ALL
SELECT t.technique_key, t.rule_id
FROM ttp_tag t FORCE INDEX (ttp_tag_identity)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IN (sqlc.slice(identities))
GROUP BY t.technique_key, t.rule_id;

-- name: ListRulesBySession :many
SELECT t.technique_key, t.rule_id
FROM ttp_tag t FORCE INDEX (ttp_tag_session)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.session_id = sqlc.arg(session_id)
GROUP BY t.technique_key, t.rule_id;
