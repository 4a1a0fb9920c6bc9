-- Identities: attackers that are one actor.
CREATE TABLE IF NOT EXISTS ttp_identity (
    uuid             BINARY(16) NOT NULL PRIMARY KEY,
    campaign_uuid    BINARY(16),
    merged_into_uuid BINARY(16),
    -- The identity at the end of the merge chain, uuid itself without a merge. Writers of merged_into_uuid
    -- maintain it, so that reads need not walk the chain.
    survivor_uuid    BINARY(16) NOT NULL,
    CHECK (merged_into_uuid <> uuid),
    KEY ttp_identity_campaign (campaign_uuid, uuid, merged_into_uuid),
    KEY ttp_identity_merged_into (merged_into_uuid, uuid),
    KEY ttp_identity_survivor (survivor_uuid, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
