-- name: UpsertIdentity :exec
-- NULL keeps the stored value. SetIdentityMergedInto sets merged_into_uuid.
INSERT INTO ttp_identity (uuid, campaign_uuid, survivor_uuid)
VALUES (sqlc.arg(uuid), sqlc.narg(campaign_uuid), sqlc.arg(uuid))
ON DUPLICATE KEY UPDATE
    campaign_uuid = COALESCE(VALUES(campaign_uuid), ttp_identity.campaign_uuid);

-- name: ListIdentitiesAfter :many
-- A page of identities in UUID order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: LockIdentity :one
-- Reads the latest committed row and locks it.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE uuid = sqlc.arg(uuid) FOR UPDATE;

-- name: SetIdentityMergedInto :exec
UPDATE ttp_identity SET merged_into_uuid = sqlc.arg(merged_into_uuid) WHERE uuid = sqlc.arg(uuid);

-- name: ListIdentitiesByCampaign :many
-- A page of a campaign's identities in UUID order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE campaign_uuid = sqlc.arg(campaign_uuid) AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: ListIdentitiesMergedInto :many
-- A page of the identities merged directly into an identity, in UUID order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE merged_into_uuid = sqlc.arg(merged_into_uuid) AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: ListIdentitiesByUUID :many
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE uuid IN (sqlc.slice(uuids));

-- name: LockMergedIdentities :many
-- The identities merged directly into any of these.
SELECT uuid FROM ttp_identity WHERE merged_into_uuid IN (sqlc.slice(uuids)) FOR UPDATE;

-- name: LockMergeLeaves :many
-- A page of the leaves of a survivor's merge tree: identities that none is merged into.
SELECT i.uuid FROM ttp_identity i
WHERE i.survivor_uuid = sqlc.arg(survivor_uuid)
  AND NOT EXISTS (SELECT 1 FROM ttp_identity j WHERE j.merged_into_uuid = i.uuid)
ORDER BY i.uuid
LIMIT ? FOR UPDATE;

-- name: SetIdentitySurvivors :execrows
UPDATE ttp_identity SET survivor_uuid = sqlc.arg(survivor_uuid) WHERE uuid IN (sqlc.slice(uuids));

-- name: DeleteIdentities :execrows
DELETE FROM ttp_identity WHERE uuid IN (sqlc.slice(uuids));

-- name: ListUnmergedIdentities :many
-- A page of the identities that are not merged, in UUID order.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity
WHERE merged_into_uuid IS NULL AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: ClearIdentityCampaigns :execrows
UPDATE ttp_identity SET campaign_uuid = NULL WHERE uuid IN (sqlc.slice(uuids));
