-- name: WhoIdentities :many
-- Numbers of tags by identity.
SELECT t.identity_uuid, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag t FORCE INDEX (ttp_tag_identity)
WHERE t.identity_uuid IS NOT NULL AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.identity_uuid;

-- name: WhoAttackers :many
-- The attackers with the most tags, with any_identity = 0 counting only tags without an identity.
SELECT t.attacker_uuid, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
WHERE t.attacker_uuid IS NOT NULL AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND (CAST(sqlc.arg(any_identity) AS SIGNED) = 1 OR t.identity_uuid IS NULL)
GROUP BY t.attacker_uuid
ORDER BY tags DESC, t.attacker_uuid
LIMIT ?;

-- name: WhoSessions :many
-- The sessions with the most tags.
SELECT t.session_id, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag t FORCE INDEX (ttp_tag_session)
WHERE t.session_id IS NOT NULL AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.session_id
ORDER BY tags DESC, t.session_id
LIMIT ?;

-- name: WhoActorsByTechnique :many
-- Numbers of a technique's tags by actor.
SELECT t.identity_uuid, t.attacker_uuid, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag t FORCE INDEX (ttp_tag_technique)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.identity_uuid, t.attacker_uuid;

-- name: WhoSessionsByTechnique :many
-- The sessions with the most tags of a technique.
SELECT t.session_id, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag t FORCE INDEX (ttp_tag_technique)
WHERE t.session_id IS NOT NULL AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.session_id
ORDER BY tags DESC, t.session_id
LIMIT ?;

-- name: WhoActorsOfMembers :many
-- The actors among the tags of a scope's members.
SELECT t.attacker_uuid, t.identity_uuid, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen
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
GROUP BY t.attacker_uuid, t.identity_uuid
UNION ALL
SELECT t.attacker_uuid, t.identity_uuid, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag t FORCE INDEX (ttp_tag_identity)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IN (sqlc.slice(identities))
GROUP BY t.attacker_uuid, t.identity_uuid;

-- name: WhoActorsOfSession :many
SELECT t.attacker_uuid, t.identity_uuid, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen
FROM ttp_tag t FORCE INDEX (ttp_tag_session)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.session_id = sqlc.arg(session_id)
GROUP BY t.attacker_uuid, t.identity_uuid;
