-- name: AddTombstone :exec
-- Adds to the tags of a tombstone, creating it if necessary.
INSERT INTO ttp_tombstone (uuid, removed, reason, created_at, tags)
VALUES (sqlc.arg(uuid), sqlc.arg(removed), sqlc.narg(reason), sqlc.arg(created_at), sqlc.arg(tags))
ON DUPLICATE KEY UPDATE tags = ttp_tombstone.tags + VALUES(tags);

-- name: TombstoneTags :execrows
-- Tombstones the stored tags among these. The caller deletes them afterwards.
INSERT INTO ttp_tombstoned_tag (uuid, tombstone_uuid)
SELECT t.uuid, CAST(sqlc.arg(tombstone_uuid) AS BINARY(16)) FROM ttp_tag t
WHERE NOT EXISTS (SELECT 1 FROM ttp_tombstoned_tag d WHERE d.uuid = t.uuid) AND t.uuid IN (sqlc.slice(uuids));

-- name: ListTombstonedTagUUIDs :many
-- The tombstoned tags among these.
SELECT uuid FROM ttp_tombstoned_tag WHERE uuid IN (sqlc.slice(uuids));

-- name: LockTombstonedTags :many
-- Reads the latest committed tombstoned tags among these and locks them.
SELECT uuid FROM ttp_tombstoned_tag WHERE uuid IN (sqlc.slice(uuids)) FOR UPDATE;

-- name: ListTombstonesAfter :many
-- A page of tombstones in UUID order, which is the order of creation.
SELECT uuid, removed, reason, created_at, tags FROM ttp_tombstone
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: GetTombstone :one
SELECT uuid, removed, reason, created_at, tags FROM ttp_tombstone WHERE uuid = sqlc.arg(uuid);

-- name: LockTombstone :one
SELECT uuid, removed, reason, created_at, tags FROM ttp_tombstone WHERE uuid = sqlc.arg(uuid) FOR UPDATE;

-- name: ListTagsOfTombstone :many
-- A page of a tombstone's tags in UUID order.
SELECT uuid FROM ttp_tombstoned_tag
WHERE tombstone_uuid = sqlc.arg(tombstone_uuid) AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: CountTagsOfTombstone :one
SELECT COUNT(*) FROM ttp_tombstoned_tag WHERE tombstone_uuid = sqlc.arg(tombstone_uuid);

-- name: DeleteTombstonedTags :execrows
DELETE FROM ttp_tombstoned_tag WHERE tombstone_uuid = sqlc.arg(tombstone_uuid) AND uuid IN (sqlc.slice(uuids));

-- name: SubtractFromTombstone :execrows
UPDATE ttp_tombstone SET tags = CASE WHEN tags > sqlc.arg(tags) THEN tags - sqlc.arg(tags) ELSE 0 END WHERE uuid = sqlc.arg(uuid);

-- name: DeleteTombstone :execrows
DELETE FROM ttp_tombstone WHERE uuid = sqlc.arg(uuid);
