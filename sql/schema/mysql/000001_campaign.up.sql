-- Campaigns: identities that act together.
CREATE TABLE IF NOT EXISTS ttp_campaign (
    uuid             BINARY(16) NOT NULL PRIMARY KEY,
    name             VARCHAR(255) CHECK (CHAR_LENGTH(name) BETWEEN 1 AND 255),
    merged_into_uuid BINARY(16),
    -- The campaign at the end of the merge chain, uuid itself without a merge. Writers of merged_into_uuid
    -- maintain it, so that reads need not walk the chain.
    survivor_uuid    BINARY(16) NOT NULL,
    CHECK (merged_into_uuid <> uuid),
    KEY ttp_campaign_merged_into (merged_into_uuid, uuid),
    KEY ttp_campaign_survivor (survivor_uuid, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
