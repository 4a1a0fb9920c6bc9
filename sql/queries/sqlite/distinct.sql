-- name: CountSourcesOfTechniques :many
-- Number of distinct sources of several technique_keys together, of the fleet.
SELECT COUNT(DISTINCT t.source_kind || '|' || t.source_id) AS sources
FROM ttp_tag t INDEXED BY ttp_tag_technique
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.technique_key IN (sqlc.slice(technique_keys));

-- name: ListActorsByTechnique :many
-- Distinct actors by technique_key, of the fleet.
SELECT t.technique_key, t.attacker_uuid, t.identity_uuid
FROM ttp_tag t
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.technique_key, t.attacker_uuid, t.identity_uuid;

-- name: ListSourcesByMembers :many
-- Distinct sources and actors by technique_key, of a scope's members.
SELECT t.technique_key, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid
FROM ttp_tag t INDEXED BY ttp_tag_attacker
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND (CAST(sqlc.arg(any_identity) AS INTEGER) = 1 OR t.identity_uuid IS NULL)
  AND t.attacker_uuid IN (sqlc.slice(attackers))
GROUP BY t.technique_key, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid
UNION ALL
SELECT t.technique_key, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid
FROM ttp_tag t INDEXED BY ttp_tag_identity
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IN (sqlc.slice(identities))
GROUP BY t.technique_key, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid;

-- name: ListSourcesBySession :many
SELECT t.technique_key, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid
FROM ttp_tag t INDEXED BY ttp_tag_session
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.session_id = sqlc.arg(session_id)
GROUP BY t.technique_key, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid;
