-- Tombstones: removals after which a replay does not bring the tags back.
CREATE TABLE IF NOT EXISTS ttp_tombstone (
    uuid       BINARY(16) NOT NULL PRIMARY KEY, -- UUIDv7
    removed    VARCHAR(2048) NOT NULL CHECK (CHAR_LENGTH(removed) BETWEEN 1 AND 2048), -- what was asked for
    reason     VARCHAR(255) CHECK (CHAR_LENGTH(reason) BETWEEN 1 AND 255),
    created_at BIGINT NOT NULL, -- microseconds since 1970, UTC
    tags       BIGINT NOT NULL CHECK (tags >= 0) -- how many it keeps from being written
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
