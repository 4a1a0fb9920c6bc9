-- name: ListDeckies :many
-- The tags of each decky. No index covers decky_id, so that this reads every tag of the window.
SELECT t.decky_id, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen
FROM ttp_tag t
WHERE t.decky_id IS NOT NULL AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) / CAST(sqlc.arg(unit) AS INTEGER) = CAST(sqlc.arg(digits) AS INTEGER)
  AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.rowid = t.rowid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.decky_id;
