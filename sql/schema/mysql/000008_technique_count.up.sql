-- Counts of the fleet's tags by technique_key. Every transaction that writes or removes tags maintains them, so
-- that the cost of the fleet's rollup does not depend on the number of tags. On MySQL a count is a sharded
-- counter, the sum of the slots of a key: a transaction locks only one slot until it ends.
CREATE TABLE IF NOT EXISTS ttp_technique_count (
    technique_key  BIGINT NOT NULL,
    slot           BIGINT NOT NULL,
    tags           BIGINT NOT NULL, -- negative if tags counted in other slots were removed by this one
    first_seen     BIGINT NOT NULL, -- microseconds since 1970, UTC
    last_seen      BIGINT NOT NULL, -- microseconds since 1970, UTC
    confidence_max DOUBLE NOT NULL,
    -- 1: removed tags may have had the first or last time or the highest confidence of the key. Reads then use
    -- the tags instead, until the key is recounted.
    stale          BIGINT NOT NULL CHECK (stale IN (0, 1)),
    PRIMARY KEY (technique_key, slot)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
