-- name: LockMerges :exec
-- Holds the right to change merge pointers of this kind of scope until the transaction ends.
INSERT INTO ttp_merge_lock (kind, changes) VALUES (sqlc.arg(kind), 1)
ON DUPLICATE KEY UPDATE changes = changes + 1;
