-- name: ListTags :many
-- A page of the fleet's tags, newest first. The caller ends the window at the cursor's time, so that the index
-- seeks to the page; the cursor condition splits the tags of that time.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid, t.technique_key
FROM ttp_tag t FORCE INDEX (ttp_tag_observed)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
ORDER BY t.observed_at DESC, t.uuid DESC
LIMIT ?;

-- name: ListTagsByTechnique :many
-- ListTags for a technique with few tags: reads all of them and sorts.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid, t.technique_key
FROM ttp_tag t FORCE INDEX (ttp_tag_technique)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
ORDER BY t.observed_at DESC, t.uuid DESC
LIMIT ?;

-- name: ListTagsByAttacker :many
-- A page of an attacker's tags; see ListTags.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid, t.technique_key
FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.attacker_uuid = sqlc.arg(attacker_uuid)
  AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
ORDER BY t.observed_at DESC, t.uuid DESC
LIMIT ?;

-- name: ListTagsBySession :many
-- A page of a session's tags; see ListTags.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid, t.technique_key
FROM ttp_tag t FORCE INDEX (ttp_tag_session)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.session_id = sqlc.arg(session_id)
  AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
ORDER BY t.observed_at DESC, t.uuid DESC
LIMIT ?;

-- name: ListTagsBySessionInOrder :many
-- A page of a session's tags, oldest first. The caller begins the window at the cursor's time.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid, t.technique_key
FROM ttp_tag t FORCE INDEX (ttp_tag_session)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.session_id = sqlc.arg(session_id)
  AND (t.observed_at > sqlc.arg(cursor_observed_at) OR t.uuid > sqlc.arg(cursor_uuid))
ORDER BY t.observed_at ASC, t.uuid ASC
LIMIT ?;

-- name: ListPageStarts :many
-- For each stored member, the time of the last tag on a page of only that member's tags. The page of all members
-- reaches no further back than the latest of these times.
SELECT CAST(COALESCE((SELECT t.observed_at FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
                      WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
                      AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
                      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
                      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
                          AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
                          AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
                          AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
                      AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
                      AND t.attacker_uuid = m.uuid AND t.identity_uuid IS NULL
                      ORDER BY t.observed_at DESC, t.uuid DESC LIMIT 1 OFFSET ?), sqlc.arg(since)) AS SIGNED) AS observed_at
FROM ttp_attacker m
WHERE m.uuid IN (sqlc.slice(attackers))
UNION ALL
SELECT CAST(COALESCE((SELECT t.observed_at FROM ttp_tag t FORCE INDEX (ttp_tag_identity)
                      WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
                      AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
                      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
                      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
                          AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
                          AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
                          AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
                      AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
                      AND t.identity_uuid = m.uuid
                      ORDER BY t.observed_at DESC, t.uuid DESC LIMIT 1 OFFSET ?), sqlc.arg(since)) AS SIGNED) AS observed_at
FROM ttp_identity m
WHERE m.uuid IN (sqlc.slice(identities));

-- name: ListTagKeysByMembers :many
-- A page of UUIDs and times of the tags of a scope's members, newest first, from indexes only.
-- Differs from SQLite, where the limit must be numbered before the slices expand.
SELECT t.uuid, t.observed_at
FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
  AND t.identity_uuid IS NULL
  AND t.attacker_uuid IN (sqlc.slice(attackers))
UNION ALL
SELECT t.uuid, t.observed_at
FROM ttp_tag t FORCE INDEX (ttp_tag_identity)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
  AND t.identity_uuid IN (sqlc.slice(identities))
ORDER BY observed_at DESC, uuid DESC
LIMIT ?;

-- name: ListTagsByMembers :many
-- A page of the tags of a scope's members, newest first. Indexes alone decide which rows are read.
-- Differs from SQLite, whose rowids locate rows, and whose limit must be numbered before the slices expand.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid, t.technique_key
FROM (
    SELECT t.uuid, t.observed_at
    FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
          AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
          AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
          AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
      AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
      AND t.identity_uuid IS NULL
      AND t.attacker_uuid IN (sqlc.slice(attackers))
    UNION ALL
    SELECT t.uuid, t.observed_at
    FROM ttp_tag t FORCE INDEX (ttp_tag_identity)
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
          AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
          AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
          AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
      AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
      AND t.identity_uuid IN (sqlc.slice(identities))
    ORDER BY observed_at DESC, uuid DESC
    LIMIT ?
) k
STRAIGHT_JOIN ttp_tag t ON t.uuid = k.uuid
ORDER BY t.observed_at DESC, t.uuid DESC;

-- name: ListTagsByUUID :many
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid, t.technique_key
FROM ttp_tag t
WHERE t.uuid IN (sqlc.slice(uuids));

-- name: ListPhasesByMembers :many
-- The number of tags of each decky, tactic, release and time of a scope's members.
SELECT t.decky_id, CAST(t.technique_key % 10000000000 AS SIGNED) AS tactic_key, t.observed_at, COUNT(*) AS tags
FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
WHERE t.decky_id IS NOT NULL AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IS NULL
  AND t.attacker_uuid IN (sqlc.slice(attackers))
GROUP BY t.decky_id, tactic_key, t.observed_at
UNION ALL
SELECT t.decky_id, CAST(t.technique_key % 10000000000 AS SIGNED) AS tactic_key, t.observed_at, COUNT(*) AS tags
FROM ttp_tag t FORCE INDEX (ttp_tag_identity)
WHERE t.decky_id IS NOT NULL AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IN (sqlc.slice(identities))
GROUP BY t.decky_id, tactic_key, t.observed_at;
