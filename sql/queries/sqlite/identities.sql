-- name: UpsertIdentity :exec
-- An absent value keeps what is stored. Merging is not its job: see SetIdentityMergedInto.
INSERT INTO ttp_identity (uuid, campaign_uuid, survivor_uuid)
VALUES (sqlc.arg(uuid), sqlc.narg(campaign_uuid), sqlc.arg(uuid))
ON CONFLICT (uuid) DO UPDATE SET
    campaign_uuid = COALESCE(excluded.campaign_uuid, ttp_identity.campaign_uuid);

-- name: GetIdentity :one
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE uuid = sqlc.arg(uuid);

-- name: ListIdentitiesAfter :many
-- A page of all identities, in uuid order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);

-- name: LockIdentity :one
-- The newest committed state, for a change of merge pointers.
-- Differs from MySQL, which must ask for the lock: here a transaction that writes holds the only one.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE uuid = sqlc.arg(uuid);

-- name: SetIdentityMergedInto :exec
UPDATE ttp_identity SET merged_into_uuid = sqlc.arg(merged_into_uuid) WHERE uuid = sqlc.arg(uuid);

-- name: ReplaceIdentitySurvivor :exec
-- Hands all that one survivor stands for to another.
UPDATE ttp_identity SET survivor_uuid = sqlc.arg(survivor_uuid) WHERE survivor_uuid = sqlc.arg(replaced_uuid);
