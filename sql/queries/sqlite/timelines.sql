-- name: CountByTime :many
-- Numbers of the fleet's tags by bucket, for buckets with tags. No tag precedes the origin, so that the division
-- rounds down.
SELECT CAST((t.observed_at - CAST(sqlc.arg(origin) AS INTEGER)) / CAST(sqlc.arg(width) AS INTEGER) AS INTEGER) AS bucket,
       t.technique_key, COUNT(*) AS tags
FROM ttp_tag t INDEXED BY ttp_tag_observed
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY bucket, t.technique_key;

-- name: CountMembersByTime :many
-- Numbers of the members' tags by bucket; see CountByTime.
SELECT CAST((t.observed_at - CAST(sqlc.arg(origin) AS INTEGER)) / CAST(sqlc.arg(width) AS INTEGER) AS INTEGER) AS bucket,
       t.technique_key, COUNT(*) AS tags
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
GROUP BY bucket, t.technique_key
UNION ALL
SELECT CAST((t.observed_at - CAST(sqlc.arg(origin) AS INTEGER)) / CAST(sqlc.arg(width) AS INTEGER) AS INTEGER) AS bucket,
       t.technique_key, COUNT(*) AS tags
FROM ttp_tag t INDEXED BY ttp_tag_identity
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IN (sqlc.slice(identities))
GROUP BY bucket, t.technique_key;

-- name: CountSessionByTime :many
SELECT CAST((t.observed_at - CAST(sqlc.arg(origin) AS INTEGER)) / CAST(sqlc.arg(width) AS INTEGER) AS INTEGER) AS bucket,
       t.technique_key, COUNT(*) AS tags
FROM ttp_tag t INDEXED BY ttp_tag_session
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.session_id = sqlc.arg(session_id)
GROUP BY bucket, t.technique_key;
