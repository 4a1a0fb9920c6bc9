-- Tombstones: removals after which a replay does not bring the tags back.
CREATE TABLE IF NOT EXISTS ttp_tombstone (
    uuid       BLOB NOT NULL PRIMARY KEY CHECK (length(uuid) = 16), -- UUIDv7
    removed    TEXT NOT NULL CHECK (length(removed) BETWEEN 1 AND 2048), -- what was asked for
    reason     TEXT CHECK (length(reason) BETWEEN 1 AND 255),
    created_at INTEGER NOT NULL, -- microseconds since 1970, UTC
    tags       INTEGER NOT NULL CHECK (tags >= 0) -- how many it keeps from being written
) STRICT;
