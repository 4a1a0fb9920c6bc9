-- name: ListRules :many
-- Statistics by rule and version.
SELECT r.rule_id, r.rule_version, COUNT(*) AS tags,
       CAST(MIN(r.observed_at) AS SIGNED) AS first_seen, CAST(MAX(r.observed_at) AS SIGNED) AS last_seen,
       COUNT(DISTINCT r.technique_key DIV 10000000000) AS techniques,
       COUNT(DISTINCT CONCAT(r.source_kind, '|', r.source_id)) AS sources,
       COUNT(DISTINCT r.attacker_uuid) AS attackers,
       COUNT(DISTINCT COALESCE(i.survivor_uuid, r.identity_uuid, a.identity_uuid)) AS identities
FROM ttp_tag r
LEFT JOIN ttp_attacker a ON a.uuid = r.attacker_uuid
LEFT JOIN ttp_identity i ON i.uuid = COALESCE(r.identity_uuid, a.identity_uuid)
WHERE r.observed_at >= sqlc.arg(since) AND r.observed_at < sqlc.arg(before)
  AND r.technique_key >= sqlc.arg(first_key) AND r.technique_key <= sqlc.arg(last_key) -- for the index
  AND (CAST(sqlc.arg(any_tag) AS SIGNED) = 1 OR (r.confidence >= sqlc.arg(min_confidence)
      AND r.technique_key >= sqlc.arg(first_key) AND r.technique_key <= sqlc.arg(last_key)
      AND r.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = r.uuid
          AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
          AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
          AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY r.rule_id, r.rule_version
ORDER BY r.rule_id, r.rule_version;
