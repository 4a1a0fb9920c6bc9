-- Campaigns: identities that act together.
CREATE TABLE IF NOT EXISTS ttp_campaign (
    uuid             BLOB NOT NULL PRIMARY KEY CHECK (length(uuid) = 16),
    name             TEXT CHECK (length(name) BETWEEN 1 AND 255),
    merged_into_uuid BLOB CHECK (length(merged_into_uuid) = 16 AND merged_into_uuid <> uuid),
    -- The campaign at the end of the merge chain, uuid itself without a merge. Writers of merged_into_uuid
    -- maintain it, so that reads need not walk the chain.
    survivor_uuid    BLOB NOT NULL CHECK (length(survivor_uuid) = 16)
) STRICT;
CREATE INDEX IF NOT EXISTS ttp_campaign_merged_into ON ttp_campaign (merged_into_uuid, uuid);
CREATE INDEX IF NOT EXISTS ttp_campaign_survivor ON ttp_campaign (survivor_uuid, uuid);
