-- name: ListTaggedAttackers :many
-- A page of the distinct attackers of tags.
SELECT t.attacker_uuid FROM ttp_tag t
WHERE t.attacker_uuid > sqlc.arg(after)
GROUP BY t.attacker_uuid
ORDER BY t.attacker_uuid
LIMIT sqlc.arg(limit);

-- name: ListTaggedIdentities :many
-- A page of the distinct identities of tags.
SELECT t.identity_uuid FROM ttp_tag t
WHERE t.identity_uuid > sqlc.arg(after)
GROUP BY t.identity_uuid
ORDER BY t.identity_uuid
LIMIT sqlc.arg(limit);

-- name: ListAssignedIdentities :many
-- A page of the distinct identities of attackers.
SELECT a.identity_uuid FROM ttp_attacker a
WHERE a.identity_uuid > sqlc.arg(after)
GROUP BY a.identity_uuid
ORDER BY a.identity_uuid
LIMIT sqlc.arg(limit);

-- name: ListSurvivors :many
-- A page of the distinct survivors of identities.
SELECT i.survivor_uuid FROM ttp_identity i
WHERE i.survivor_uuid > sqlc.arg(after)
GROUP BY i.survivor_uuid
ORDER BY i.survivor_uuid
LIMIT sqlc.arg(limit);
