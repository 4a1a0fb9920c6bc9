-- Tags that a tombstone keeps from being written.
CREATE TABLE IF NOT EXISTS ttp_tombstoned_tag (
    uuid           BINARY(16) NOT NULL PRIMARY KEY, -- the tag's
    tombstone_uuid BINARY(16) NOT NULL,
    KEY ttp_tombstoned_tag_tombstone (tombstone_uuid, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
