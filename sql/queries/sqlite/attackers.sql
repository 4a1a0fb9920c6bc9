-- name: UpsertAttacker :exec
-- NULL keeps the stored value.
INSERT INTO ttp_attacker (uuid, ip, identity_uuid)
VALUES (sqlc.arg(uuid), sqlc.narg(ip), sqlc.narg(identity_uuid))
ON CONFLICT (uuid) DO UPDATE SET
    ip = COALESCE(excluded.ip, ttp_attacker.ip),
    identity_uuid = COALESCE(excluded.identity_uuid, ttp_attacker.identity_uuid);

-- name: ListAttackersAfter :many
-- A page of attackers in UUID order.
SELECT uuid, ip, identity_uuid FROM ttp_attacker
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);

-- name: ListAttackersByIdentity :many
-- A page of an identity's attackers in UUID order.
SELECT uuid, ip, identity_uuid FROM ttp_attacker
WHERE identity_uuid = sqlc.arg(identity_uuid) AND uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);

-- name: ListAttackersByUUID :many
SELECT uuid, ip, identity_uuid FROM ttp_attacker WHERE uuid IN (sqlc.slice(uuids));

-- name: LockAttackers :many
-- Reads the latest committed rows and locks them.
SELECT uuid, ip, identity_uuid FROM ttp_attacker WHERE uuid IN (sqlc.slice(uuids)) ORDER BY uuid;

-- name: LockAttackerByIdentity :many
-- One attacker with any of these identities.
SELECT uuid FROM ttp_attacker WHERE identity_uuid IN (sqlc.slice(uuids)) LIMIT 1;

-- name: ReleaseAttackers :execrows
-- Removes attackers from an identity.
UPDATE ttp_attacker SET identity_uuid = NULL
WHERE identity_uuid = sqlc.arg(identity_uuid) AND uuid IN (sqlc.slice(uuids));

-- name: DeleteAttackers :execrows
DELETE FROM ttp_attacker WHERE uuid IN (sqlc.slice(uuids));

-- name: ListAttackersByIP :many
SELECT uuid, ip, identity_uuid FROM ttp_attacker WHERE ip = sqlc.arg(ip) ORDER BY uuid;

-- name: CountAttackersByIdentity :one
SELECT COUNT(*) AS attackers FROM ttp_attacker WHERE identity_uuid = sqlc.arg(identity_uuid);

-- name: CountScopes :many
-- One row. Those that are not merged are survivors.
SELECT
    CAST((SELECT COUNT(*) FROM ttp_campaign) AS INTEGER) AS campaigns,
    CAST((SELECT COUNT(*) FROM ttp_campaign WHERE merged_into_uuid IS NULL) AS INTEGER) AS surviving_campaigns,
    CAST((SELECT COUNT(*) FROM ttp_identity) AS INTEGER) AS identities,
    CAST((SELECT COUNT(*) FROM ttp_identity WHERE merged_into_uuid IS NULL) AS INTEGER) AS surviving_identities,
    CAST((SELECT COUNT(*) FROM ttp_attacker) AS INTEGER) AS attackers;
