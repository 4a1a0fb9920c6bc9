-- name: UpsertIdentity :exec
-- An absent value keeps what is stored. Merging is not its job: see SetIdentityMergedInto.
INSERT INTO ttp_identity (uuid, campaign_uuid, survivor_uuid)
VALUES (sqlc.arg(uuid), sqlc.narg(campaign_uuid), sqlc.arg(uuid))
ON DUPLICATE KEY UPDATE
    campaign_uuid = COALESCE(VALUES(campaign_uuid), ttp_identity.campaign_uuid);

-- name: GetIdentity :one
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE uuid = sqlc.arg(uuid);

-- name: ListIdentitiesAfter :many
-- A page of all identities, in uuid order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: LockIdentity :one
-- The newest committed state, for a change of merge pointers.
-- Differs from SQLite, where a transaction that writes holds the only lock.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE uuid = sqlc.arg(uuid) FOR UPDATE;

-- name: SetIdentityMergedInto :exec
UPDATE ttp_identity SET merged_into_uuid = sqlc.arg(merged_into_uuid) WHERE uuid = sqlc.arg(uuid);

-- name: ReplaceIdentitySurvivor :exec
-- Hands all that one survivor stands for to another.
UPDATE ttp_identity SET survivor_uuid = sqlc.arg(survivor_uuid) WHERE survivor_uuid = sqlc.arg(replaced_uuid);
