-- Identities: attackers that are one actor.
CREATE TABLE IF NOT EXISTS ttp_identity (
    uuid             BINARY(16) NOT NULL PRIMARY KEY,
    campaign_uuid    BINARY(16),
    merged_into_uuid BINARY(16),
    -- The identity at the end of the merge chain, itself when it is not merged: kept by the
    -- writer of merged_into_uuid, so that no read has to walk the chain.
    survivor_uuid    BINARY(16) NOT NULL,
    CHECK (merged_into_uuid <> uuid),
    KEY ttp_identity_campaign (campaign_uuid, uuid, merged_into_uuid),
    KEY ttp_identity_merged_into (merged_into_uuid),
    KEY ttp_identity_survivor (survivor_uuid, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
