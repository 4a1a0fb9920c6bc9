-- Identities: attackers that are one actor.
CREATE TABLE IF NOT EXISTS ttp_identity (
    uuid             BLOB NOT NULL PRIMARY KEY CHECK (length(uuid) = 16),
    campaign_uuid    BLOB CHECK (length(campaign_uuid) = 16),
    merged_into_uuid BLOB CHECK (length(merged_into_uuid) = 16 AND merged_into_uuid <> uuid),
    -- The identity at the end of the merge chain, uuid itself without a merge. Writers of merged_into_uuid
    -- maintain it, so that reads need not walk the chain.
    survivor_uuid    BLOB NOT NULL CHECK (length(survivor_uuid) = 16)
) STRICT;
CREATE INDEX IF NOT EXISTS ttp_identity_campaign ON ttp_identity (campaign_uuid, uuid, merged_into_uuid);
CREATE INDEX IF NOT EXISTS ttp_identity_merged_into ON ttp_identity (merged_into_uuid, uuid);
CREATE INDEX IF NOT EXISTS ttp_identity_survivor ON ttp_identity (survivor_uuid, uuid);
