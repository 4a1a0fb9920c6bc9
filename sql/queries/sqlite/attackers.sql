-- name: UpsertAttacker :exec
-- An absent value keeps what is stored.
INSERT INTO ttp_attacker (uuid, ip, identity_uuid)
VALUES (sqlc.arg(uuid), sqlc.narg(ip), sqlc.narg(identity_uuid))
ON CONFLICT (uuid) DO UPDATE SET
    ip = COALESCE(excluded.ip, ttp_attacker.ip),
    identity_uuid = COALESCE(excluded.identity_uuid, ttp_attacker.identity_uuid);

-- name: GetAttacker :one
SELECT uuid, ip, identity_uuid FROM ttp_attacker WHERE uuid = sqlc.arg(uuid);

-- name: ListAttackersAfter :many
-- A page of all attackers, in uuid order.
SELECT uuid, ip, identity_uuid FROM ttp_attacker
WHERE uuid > sqlc.arg(after)
ORDER BY uuid
LIMIT sqlc.arg(limit);
