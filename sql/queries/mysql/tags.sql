-- name: InsertTag :execrows
-- A stored tag is kept: the first write wins. Any other violation is an error. The no-op update assigns a column
-- outside of every key, as sharded engines require, and affects no row.
-- Differs from SQLite, which has no ON DUPLICATE KEY. The Go code repeats the VALUES tuple.
INSERT INTO ttp_tag (
    uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id,
    tactic, technique_id, sub_technique_id, confidence, rule_id, rule_version,
    evidence, attack_release, observed_at, ingested_at, batch_uuid, technique_key
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE rule_version = ttp_tag.rule_version;

-- name: ListStoredTagUUIDs :many
-- The stored tags among these.
SELECT uuid FROM ttp_tag WHERE uuid IN (sqlc.slice(uuids));

-- name: LockTagUUIDs :many
-- Reads the latest committed tags among these and locks them.
SELECT uuid FROM ttp_tag WHERE uuid IN (sqlc.slice(uuids)) FOR UPDATE;

-- name: ListTagUUIDsInBatches :many
-- The tags among these that one of the batches wrote.
SELECT uuid FROM ttp_tag
WHERE batch_uuid IN (sqlc.slice(batch_uuids)) AND uuid IN (sqlc.slice(uuids));

-- name: ListTagsAfter :many
-- A page of tags in UUID order.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid, t.technique_key
FROM ttp_tag t FORCE INDEX (PRIMARY)
WHERE t.uuid > sqlc.arg(after)
  AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
ORDER BY t.uuid
LIMIT ?;

-- name: ListTagsInBatch :many
-- A page of a batch's tags in UUID order. No index covers batch_uuid, so that this scans all tags.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid, t.technique_key
FROM ttp_tag t FORCE INDEX (PRIMARY)
WHERE t.uuid > sqlc.arg(after) AND t.batch_uuid = sqlc.arg(batch_uuid)
ORDER BY t.uuid
LIMIT ?;

-- name: LockTags :many
-- Reads the latest committed keys of tags and locks the rows.
SELECT uuid, attacker_uuid, identity_uuid, batch_uuid FROM ttp_tag
WHERE uuid IN (sqlc.slice(uuids))
ORDER BY uuid FOR UPDATE;

-- name: LockTagByIdentity :many
-- One tag with any of these identities.
SELECT uuid FROM ttp_tag WHERE identity_uuid IN (sqlc.slice(uuids)) LIMIT 1 FOR UPDATE;

-- name: LockTagsToMove :many
-- A page of an attacker's tags with another identity, in index order.
SELECT t.uuid, t.observed_at FROM ttp_tag t
WHERE t.attacker_uuid = sqlc.arg(attacker_uuid)
  AND t.observed_at >= sqlc.arg(cursor_observed_at)
  AND (t.observed_at > sqlc.arg(cursor_observed_at) OR t.uuid > sqlc.arg(cursor_uuid))
  AND t.identity_uuid IS NOT NULL AND t.identity_uuid <> sqlc.arg(identity_uuid)
ORDER BY t.observed_at, t.uuid
LIMIT ? FOR UPDATE;

-- name: SetTagIdentities :execrows
-- Sets the identity of tags. NULL makes them follow their attackers.
UPDATE ttp_tag SET identity_uuid = sqlc.narg(identity_uuid) WHERE uuid IN (sqlc.slice(uuids));

-- name: SetTagKey :execrows
UPDATE ttp_tag SET technique_key = sqlc.arg(technique_key) WHERE uuid = sqlc.arg(uuid);

-- name: ListMisindexedTags :many
-- The tags from first to last that lack a matching entry in a covering index, with the index.
SELECT r.uuid, 'ttp_tag_identity' AS name FROM ttp_tag r FORCE INDEX (PRIMARY)
WHERE r.uuid >= sqlc.arg(first) AND r.uuid <= sqlc.arg(last) AND r.identity_uuid IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM ttp_tag d FORCE INDEX (ttp_tag_identity)
    WHERE d.identity_uuid = r.identity_uuid AND d.observed_at = r.observed_at AND d.uuid = r.uuid
      AND d.technique_key = r.technique_key AND d.confidence = r.confidence)
UNION ALL
SELECT r.uuid, 'ttp_tag_attacker' AS name FROM ttp_tag r FORCE INDEX (PRIMARY)
WHERE r.uuid >= sqlc.arg(first) AND r.uuid <= sqlc.arg(last) AND r.attacker_uuid IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM ttp_tag d FORCE INDEX (ttp_tag_attacker)
    WHERE d.attacker_uuid = r.attacker_uuid AND d.observed_at = r.observed_at AND d.uuid = r.uuid
      AND COALESCE(d.identity_uuid, '') = COALESCE(r.identity_uuid, '')
      AND d.technique_key = r.technique_key AND d.confidence = r.confidence)
UNION ALL
SELECT r.uuid, 'ttp_tag_session' AS name FROM ttp_tag r FORCE INDEX (PRIMARY)
WHERE r.uuid >= sqlc.arg(first) AND r.uuid <= sqlc.arg(last) AND r.session_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM ttp_tag d FORCE INDEX (ttp_tag_session)
    WHERE d.session_id = r.session_id AND d.observed_at = r.observed_at AND d.uuid = r.uuid
      AND d.technique_key = r.technique_key AND d.confidence = r.confidence)
UNION ALL
SELECT r.uuid, 'ttp_tag_observed' AS name FROM ttp_tag r FORCE INDEX (PRIMARY)
WHERE r.uuid >= sqlc.arg(first) AND r.uuid <= sqlc.arg(last)
  AND NOT EXISTS (SELECT 1 FROM ttp_tag d FORCE INDEX (ttp_tag_observed)
    WHERE d.observed_at = r.observed_at AND d.uuid = r.uuid
      AND d.technique_key = r.technique_key AND d.confidence = r.confidence)
UNION ALL
SELECT r.uuid, 'ttp_tag_technique' AS name FROM ttp_tag r FORCE INDEX (PRIMARY)
WHERE r.uuid >= sqlc.arg(first) AND r.uuid <= sqlc.arg(last)
  AND NOT EXISTS (SELECT 1 FROM ttp_tag d FORCE INDEX (ttp_tag_technique)
    WHERE d.technique_key = r.technique_key AND d.observed_at = r.observed_at AND d.confidence = r.confidence
      AND d.uuid = r.uuid);

-- name: CountIndexedTags :many
-- The expected and actual number of entries of each covering index. No index contains batch_uuid, so that its COUNT
-- scans the table; COUNT(*) without a condition would count the smallest index.
SELECT t.tags, t.identities, t.attackers, t.sessions, i.entries AS by_identity, a.entries AS by_attacker,
       s.entries AS by_session, o.entries AS by_time, k.entries AS by_technique
FROM (SELECT COUNT(batch_uuid) AS tags, COUNT(identity_uuid) AS identities, COUNT(attacker_uuid) AS attackers,
             COUNT(session_id) AS sessions FROM ttp_tag) t
STRAIGHT_JOIN (SELECT COUNT(*) AS entries FROM ttp_tag FORCE INDEX (ttp_tag_identity) WHERE identity_uuid IS NOT NULL) i
STRAIGHT_JOIN (SELECT COUNT(*) AS entries FROM ttp_tag FORCE INDEX (ttp_tag_attacker) WHERE attacker_uuid IS NOT NULL) a
STRAIGHT_JOIN (SELECT COUNT(*) AS entries FROM ttp_tag FORCE INDEX (ttp_tag_session) WHERE session_id IS NOT NULL) s
STRAIGHT_JOIN (SELECT COUNT(*) AS entries FROM ttp_tag FORCE INDEX (ttp_tag_observed) WHERE confidence >= 0) o
STRAIGHT_JOIN (SELECT COUNT(*) AS entries FROM ttp_tag FORCE INDEX (ttp_tag_technique) WHERE confidence >= 0) k;

-- name: DeleteTags :execrows
DELETE FROM ttp_tag WHERE uuid IN (sqlc.slice(uuids));
