-- name: LockMerges :exec
-- Serializes transactions that change merges of this kind of scope.
INSERT INTO ttp_merge_lock (kind, changes) VALUES (sqlc.arg(kind), 1)
ON CONFLICT (kind) DO UPDATE SET changes = ttp_merge_lock.changes + 1;
