-- Tombstones: removals whose tags must not be written again.
CREATE TABLE IF NOT EXISTS ttp_tombstone (
    uuid       BINARY(16) NOT NULL PRIMARY KEY, -- UUIDv7
    removed    VARCHAR(2048) NOT NULL CHECK (CHAR_LENGTH(removed) BETWEEN 1 AND 2048), -- the operation
    reason     VARCHAR(255) CHECK (CHAR_LENGTH(reason) BETWEEN 1 AND 255),
    created_at BIGINT NOT NULL, -- microseconds since 1970, UTC
    tags       BIGINT NOT NULL CHECK (tags >= 0) -- number of tombstoned tags
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
