-- What the whole fleet shows, by technique_key: kept by every transaction that writes or removes tags, so
-- that the fleet's rollup costs the same whatever the number of tags. It is the sum of the slots of a key:
-- on MySQL each transaction takes one of several, since it holds the rows until it ends, and all writers
-- would wait for each other.
CREATE TABLE IF NOT EXISTS ttp_technique_count (
    technique_key  INTEGER NOT NULL,
    slot           INTEGER NOT NULL,
    tags           INTEGER NOT NULL, -- of one slot, negative where others wrote what went by this one
    first_seen     INTEGER NOT NULL, -- microseconds since 1970, UTC
    last_seen      INTEGER NOT NULL, -- microseconds since 1970, UTC
    confidence_max REAL NOT NULL,
    -- 1: tags went that may have had the first or last time or the highest confidence of the key. Readers
    -- read its tags then, until they are counted anew.
    stale          INTEGER NOT NULL CHECK (stale IN (0, 1)),
    PRIMARY KEY (technique_key, slot)
) STRICT;
