-- Removed tags that must not be written again.
CREATE TABLE IF NOT EXISTS ttp_tombstoned_tag (
    uuid           BLOB NOT NULL PRIMARY KEY CHECK (length(uuid) = 16), -- of the tag
    tombstone_uuid BLOB NOT NULL CHECK (length(tombstone_uuid) = 16)
) STRICT;
CREATE INDEX IF NOT EXISTS ttp_tombstoned_tag_tombstone ON ttp_tombstoned_tag (tombstone_uuid, uuid);
