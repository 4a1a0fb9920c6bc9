-- name: UpsertCampaign :exec
-- An absent value keeps what is stored. Merging is not its job: see SetCampaignMergedInto.
INSERT INTO ttp_campaign (uuid, name, survivor_uuid)
VALUES (sqlc.arg(uuid), sqlc.narg(name), sqlc.arg(uuid))
ON CONFLICT (uuid) DO UPDATE SET
    name = COALESCE(excluded.name, ttp_campaign.name);

-- name: GetCampaign :one
SELECT uuid, name, merged_into_uuid, survivor_uuid FROM ttp_campaign WHERE uuid = sqlc.arg(uuid);

-- name: ListCampaignsAfter :many
-- A page of all campaigns, in uuid order.
SELECT uuid, name, merged_into_uuid, survivor_uuid FROM ttp_campaign
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);

-- name: LockCampaign :one
-- The newest committed state, for a change of merge pointers.
-- Differs from MySQL, which must ask for the lock: here a transaction that writes holds the only one.
SELECT uuid, name, merged_into_uuid, survivor_uuid FROM ttp_campaign WHERE uuid = sqlc.arg(uuid);

-- name: SetCampaignMergedInto :exec
UPDATE ttp_campaign SET merged_into_uuid = sqlc.arg(merged_into_uuid) WHERE uuid = sqlc.arg(uuid);

-- name: ReplaceCampaignSurvivor :exec
-- Hands all that one survivor stands for to another.
UPDATE ttp_campaign SET survivor_uuid = sqlc.arg(survivor_uuid) WHERE survivor_uuid = sqlc.arg(replaced_uuid);
