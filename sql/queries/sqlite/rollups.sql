-- name: ListDistinctTechniques :many
-- The fleet's groups from the index by technique.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t INDEXED BY ttp_tag_technique
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.technique_key;

-- name: ListDistinctTechniquesByTime :many
-- The fleet's groups from the index by time, for windows with a small part of the tags.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t INDEXED BY ttp_tag_observed
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.technique_key;

-- name: ListTechniquesByMembers :many
-- The groups of a scope's members: tags of the attackers, with any_identity = 0 only those without an identity, and
-- tags of the identities.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
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
GROUP BY t.technique_key
UNION ALL
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t INDEXED BY ttp_tag_identity
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IN (sqlc.slice(identities))
GROUP BY t.technique_key;

-- name: ListTechniquesByEachMember :many
-- ListTechniquesByMembers, grouped by member.
SELECT t.attacker_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
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
GROUP BY t.technique_key, t.attacker_uuid
UNION ALL
SELECT t.identity_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t INDEXED BY ttp_tag_identity
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IN (sqlc.slice(identities))
GROUP BY t.technique_key, t.identity_uuid;

-- name: ListTechniquesBySurvivor :many
-- The groups of a campaign's members by surviving identity. Grouping by member returns more rows.
SELECT i.survivor_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_attacker m CROSS JOIN ttp_identity i ON i.uuid = m.identity_uuid
  CROSS JOIN ttp_tag t INDEXED BY ttp_tag_attacker ON t.attacker_uuid = m.uuid
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IS NULL
  AND m.uuid IN (sqlc.slice(attackers))
GROUP BY t.technique_key, i.survivor_uuid
UNION ALL
SELECT i.survivor_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_identity i CROSS JOIN ttp_tag t INDEXED BY ttp_tag_identity ON t.identity_uuid = i.uuid
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND i.uuid IN (sqlc.slice(identities))
GROUP BY t.technique_key, i.survivor_uuid;

-- name: ListTechniquesBySession :many
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t INDEXED BY ttp_tag_session
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.session_id = sqlc.arg(session_id)
GROUP BY t.technique_key;
