-- name: ListRules :many
-- What each version of each rule has tagged.
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
  AND (CAST(sqlc.arg(any_tag) AS SIGNED) = 1 OR (
      r.technique_key >= sqlc.arg(first_key) AND r.technique_key <= sqlc.arg(last_key)
      AND r.confidence >= sqlc.arg(min_confidence)
      AND (CAST(sqlc.arg(any_digits) AS SIGNED) = 1 OR (
          r.technique_key DIV 1000000 % 10000 >= CAST(sqlc.arg(first_tactic) AS SIGNED)
          AND r.technique_key DIV 1000000 % 10000 <= CAST(sqlc.arg(last_tactic) AS SIGNED)
          AND r.technique_key % 1000000 >= CAST(sqlc.arg(first_release) AS SIGNED)
          AND r.technique_key % 1000000 <= CAST(sqlc.arg(last_release) AS SIGNED)))
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.uuid = r.uuid AND (d.rule_id = sqlc.arg(rule_id) OR CAST(sqlc.arg(any_rule) AS SIGNED) = 1)
            AND d.rule_version >= sqlc.arg(first_version) AND d.rule_version <= sqlc.arg(last_version)
            AND (d.source_kind = sqlc.arg(source_kind) OR CAST(sqlc.arg(any_source) AS SIGNED) = 1)
            AND (d.decky_id = sqlc.arg(decky_id) OR CAST(sqlc.arg(any_decky) AS SIGNED) = 1)))))
GROUP BY r.rule_id, r.rule_version
ORDER BY r.rule_id, r.rule_version;
