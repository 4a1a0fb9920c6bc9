-- Removed tags that must not be written again.
CREATE TABLE IF NOT EXISTS ttp_tombstoned_tag (
    uuid           BINARY(16) NOT NULL PRIMARY KEY, -- of the tag
    tombstone_uuid BINARY(16) NOT NULL,
    KEY ttp_tombstoned_tag_tombstone (tombstone_uuid, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
