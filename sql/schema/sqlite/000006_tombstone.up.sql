-- Tombstones: removals whose tags must not be written again.
CREATE TABLE IF NOT EXISTS ttp_tombstone (
    uuid       BLOB NOT NULL PRIMARY KEY CHECK (length(uuid) = 16), -- UUIDv7
    removed    TEXT NOT NULL CHECK (length(removed) BETWEEN 1 AND 2048), -- the operation
    reason     TEXT CHECK (length(reason) BETWEEN 1 AND 255),
    created_at INTEGER NOT NULL, -- microseconds since 1970, UTC
    tags       INTEGER NOT NULL CHECK (tags >= 0) -- number of tombstoned tags
) STRICT;
