-- name: ListAttackReleases :many
SELECT name, content FROM ttp_attack_release ORDER BY name;

-- name: UpsertAttackRelease :exec
INSERT INTO ttp_attack_release (name, content)
VALUES (sqlc.arg(release_name), sqlc.arg(content))
ON DUPLICATE KEY UPDATE
    content = VALUES(content);

-- name: DeleteAttackRelease :execrows
DELETE FROM ttp_attack_release WHERE name = sqlc.arg(release_name);
