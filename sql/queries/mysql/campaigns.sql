-- name: UpsertCampaign :exec
-- NULL keeps the stored value. SetCampaignMergedInto sets merged_into_uuid.
INSERT INTO ttp_campaign (uuid, name, survivor_uuid)
VALUES (sqlc.arg(uuid), sqlc.narg(name), sqlc.arg(uuid))
ON DUPLICATE KEY UPDATE
    name = COALESCE(VALUES(name), ttp_campaign.name);

-- name: ListCampaignsAfter :many
-- A page of campaigns in UUID order.
SELECT uuid, name, merged_into_uuid, survivor_uuid FROM ttp_campaign
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: LockCampaign :one
-- Reads the latest committed row and locks it.
SELECT uuid, name, merged_into_uuid, survivor_uuid FROM ttp_campaign WHERE uuid = sqlc.arg(uuid) FOR UPDATE;

-- name: SetCampaignMergedInto :exec
UPDATE ttp_campaign SET merged_into_uuid = sqlc.arg(merged_into_uuid) WHERE uuid = sqlc.arg(uuid);

-- name: ListCampaignsMergedInto :many
-- A page of the campaigns merged directly into a campaign, in UUID order.
SELECT uuid, name, merged_into_uuid, survivor_uuid FROM ttp_campaign
WHERE merged_into_uuid = sqlc.arg(merged_into_uuid) AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: ListCampaignsByUUID :many
SELECT uuid, name, merged_into_uuid, survivor_uuid FROM ttp_campaign WHERE uuid IN (sqlc.slice(uuids));

-- name: LockMergedCampaigns :many
-- The campaigns merged directly into any of these.
SELECT uuid FROM ttp_campaign WHERE merged_into_uuid IN (sqlc.slice(uuids)) FOR UPDATE;

-- name: SetCampaignSurvivors :execrows
UPDATE ttp_campaign SET survivor_uuid = sqlc.arg(survivor_uuid) WHERE uuid IN (sqlc.slice(uuids));

-- name: ListUnmergedCampaigns :many
-- A page of the campaigns that are not merged, in UUID order.
SELECT uuid, name, merged_into_uuid, survivor_uuid FROM ttp_campaign
WHERE merged_into_uuid IS NULL AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT ?;

-- name: DeleteCampaigns :execrows
DELETE FROM ttp_campaign WHERE uuid IN (sqlc.slice(uuids));
