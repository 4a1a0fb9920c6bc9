-- name: ListTaggedAttackers :many
-- The next attackers that tags name.
SELECT DISTINCT t.attacker_uuid FROM ttp_tag t
WHERE t.attacker_uuid > sqlc.arg(after)
ORDER BY t.attacker_uuid
LIMIT sqlc.arg(limit);

-- name: ListTechniquesByAttackers :many
-- The rollups of a range of attackers, each as ListTechniquesByAttacker has it.
SELECT t.attacker_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t
WHERE t.attacker_uuid > sqlc.arg(after) AND t.attacker_uuid <= sqlc.arg(last)
  AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
      t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.confidence >= sqlc.arg(min_confidence)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
      AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY t.attacker_uuid, t.technique_key
ORDER BY t.attacker_uuid;

-- name: ListTaggedIdentities :many
-- The next identities that tags, attackers or merges name. Some may turn out to have no rollup.
WITH survivor AS (
    SELECT DISTINCT i.survivor_uuid AS uuid FROM ttp_identity i
    WHERE i.survivor_uuid > sqlc.arg(after) ORDER BY i.survivor_uuid LIMIT sqlc.arg(limit)
), tagged AS (
    SELECT DISTINCT t.identity_uuid AS uuid FROM ttp_tag t
    WHERE t.identity_uuid > sqlc.arg(after) ORDER BY t.identity_uuid LIMIT sqlc.arg(limit)
), assigned AS (
    SELECT DISTINCT a.identity_uuid AS uuid FROM ttp_attacker a
    WHERE a.identity_uuid > sqlc.arg(after) ORDER BY a.identity_uuid LIMIT sqlc.arg(limit)
), named AS (
    SELECT uuid FROM survivor UNION SELECT uuid FROM tagged UNION SELECT uuid FROM assigned
)
SELECT uuid FROM named ORDER BY uuid LIMIT sqlc.arg(limit);

-- name: ListTechniquesByIdentities :many
-- The rollups of a range of identities, each as ListTechniquesByIdentity has it. An identity that is
-- not stored answers for itself.
WITH member AS (
    SELECT i.survivor_uuid, i.uuid FROM ttp_identity i
    WHERE i.survivor_uuid > sqlc.arg(after) AND i.survivor_uuid <= sqlc.arg(last)
    UNION
    SELECT t.identity_uuid, t.identity_uuid FROM ttp_tag t
    WHERE t.identity_uuid > sqlc.arg(after) AND t.identity_uuid <= sqlc.arg(last)
      AND NOT EXISTS (SELECT 1 FROM ttp_identity i WHERE i.uuid = t.identity_uuid)
    UNION
    SELECT a.identity_uuid, a.identity_uuid FROM ttp_attacker a
    WHERE a.identity_uuid > sqlc.arg(after) AND a.identity_uuid <= sqlc.arg(last)
      AND NOT EXISTS (SELECT 1 FROM ttp_identity i WHERE i.uuid = a.identity_uuid)
), part AS (
    SELECT member.survivor_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
           CAST(MAX(t.confidence) AS REAL) AS confidence_max
    FROM member
    CROSS JOIN ttp_tag t ON t.identity_uuid = member.uuid
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
          t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
          AND t.confidence >= sqlc.arg(min_confidence)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
          AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
              SELECT 1 FROM ttp_tag d
              WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
                AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
                AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
                AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
    GROUP BY member.survivor_uuid, t.technique_key
    UNION ALL
    SELECT member.survivor_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
           CAST(MAX(t.confidence) AS REAL) AS confidence_max
    FROM member
    CROSS JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    CROSS JOIN ttp_tag t ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
          t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
          AND t.confidence >= sqlc.arg(min_confidence)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
          AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
              SELECT 1 FROM ttp_tag d
              WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
                AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
                AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
                AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
    GROUP BY member.survivor_uuid, t.technique_key
)
SELECT uuid, technique_key, tags, first_seen, last_seen, confidence_max
FROM part
ORDER BY uuid;
