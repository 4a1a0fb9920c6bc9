-- What the whole fleet shows, a row for each technique_key: kept by every transaction that writes or removes
-- tags, so that the fleet's rollup costs the same whatever the number of tags.
CREATE TABLE IF NOT EXISTS ttp_technique_count (
    technique_key  BIGINT NOT NULL PRIMARY KEY,
    tags           BIGINT NOT NULL,
    first_seen     BIGINT NOT NULL, -- microseconds since 1970, UTC
    last_seen      BIGINT NOT NULL, -- microseconds since 1970, UTC
    confidence_max DOUBLE NOT NULL,
    -- 1: tags went that had the first or last time or the highest confidence, which are now too wide.
    -- Readers read this group's tags then, until it is counted anew.
    stale          BIGINT NOT NULL CHECK (stale IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
