-- name: UpsertIdentity :exec
-- An absent value keeps what is stored. Merging is not its job: see SetIdentityMergedInto.
INSERT INTO ttp_identity (uuid, campaign_uuid, survivor_uuid)
VALUES (sqlc.arg(uuid), sqlc.narg(campaign_uuid), sqlc.arg(uuid))
ON CONFLICT (uuid) DO UPDATE SET
    campaign_uuid = COALESCE(excluded.campaign_uuid, ttp_identity.campaign_uuid);

-- name: ListIdentitiesAfter :many
-- A page of all identities, in uuid order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);

-- name: LockIdentity :one
-- The newest committed state, for a change of merge pointers.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE uuid = sqlc.arg(uuid);

-- name: SetIdentityMergedInto :exec
UPDATE ttp_identity SET merged_into_uuid = sqlc.arg(merged_into_uuid) WHERE uuid = sqlc.arg(uuid);

-- name: ListIdentitiesByCampaign :many
-- A page of the identities that name this campaign, in uuid order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE campaign_uuid = sqlc.arg(campaign_uuid) AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);

-- name: ListIdentitiesMergedInto :many
-- A page of the identities that point at this one, in uuid order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE merged_into_uuid = sqlc.arg(merged_into_uuid) AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);

-- name: ListIdentitiesBySurvivor :many
-- A page of the identities that this one stands for, itself among them, in uuid order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE survivor_uuid = sqlc.arg(survivor_uuid) AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);

-- name: ListIdentitiesByUUID :many
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE uuid IN (sqlc.slice(uuids));

-- name: LockMergedIdentities :many
-- The identities that point at any of these.
SELECT uuid FROM ttp_identity WHERE merged_into_uuid IN (sqlc.slice(uuids));

-- name: LockUnmergedOf :many
-- Of the identities that this one stands for, a page of those that no other points at.
SELECT i.uuid FROM ttp_identity i
WHERE i.survivor_uuid = sqlc.arg(survivor_uuid)
  AND NOT EXISTS (SELECT 1 FROM ttp_identity j WHERE j.merged_into_uuid = i.uuid)
ORDER BY i.uuid
LIMIT sqlc.arg(limit);

-- name: SetIdentitySurvivors :execrows
UPDATE ttp_identity SET survivor_uuid = sqlc.arg(survivor_uuid) WHERE uuid IN (sqlc.slice(uuids));

-- name: DeleteIdentities :execrows
DELETE FROM ttp_identity WHERE uuid IN (sqlc.slice(uuids));
