-- name: LockMerges :exec
-- Serializes transactions that change merges of this kind of scope.
INSERT INTO ttp_merge_lock (kind, changes) VALUES (sqlc.arg(kind), 1)
ON DUPLICATE KEY UPDATE changes = changes + 1;
