-- name: InsertTag :execrows
-- A tag that is already there is left as it is: the first write wins. Only that is ignored; every
-- other violation is an error, which is why the conflict names its target.
-- Differs from MySQL, which has no ON CONFLICT.
INSERT INTO ttp_tag (
    uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id,
    tactic, technique_id, sub_technique_id, confidence, rule_id, rule_version,
    evidence, attack_release, observed_at, ingested_at, batch_uuid
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uuid) DO NOTHING;

-- name: ListStoredTagUUIDs :many
-- Which of these tags are stored.
SELECT uuid FROM ttp_tag WHERE uuid IN (sqlc.slice(uuids));

-- name: ListTagUUIDsInBatch :many
-- Which of these tags this batch wrote.
SELECT uuid FROM ttp_tag
WHERE batch_uuid = sqlc.arg(batch_uuid) AND uuid IN (sqlc.slice(uuids));

-- name: ListTagsAfter :many
-- A page of all tags, in uuid order.
SELECT uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id,
       tactic, technique_id, sub_technique_id, confidence, rule_id, rule_version,
       evidence, attack_release, observed_at, ingested_at, batch_uuid
FROM ttp_tag
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);

-- name: MoveAttackerTags :exec
-- Re-keys the tags of an attacker that is about to leave its identity for another. Tags without an
-- identity follow their attacker as they are; an attacker that had none takes nothing with it.
UPDATE ttp_tag SET identity_uuid = sqlc.arg(identity_uuid)
WHERE ttp_tag.attacker_uuid = sqlc.arg(attacker_uuid)
  AND ttp_tag.identity_uuid IS NOT NULL AND ttp_tag.identity_uuid <> sqlc.arg(identity_uuid)
  AND EXISTS (SELECT 1 FROM ttp_attacker a
              WHERE a.uuid = sqlc.arg(attacker_uuid) AND a.identity_uuid <> sqlc.arg(identity_uuid));
