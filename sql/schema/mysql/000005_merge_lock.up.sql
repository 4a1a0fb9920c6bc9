-- One row per kind of scope. Every transaction that changes a merge updates it first: this serializes merges, so
-- that two concurrent ones cannot close a cycle.
CREATE TABLE IF NOT EXISTS ttp_merge_lock (
    kind    VARCHAR(16) NOT NULL PRIMARY KEY CHECK (kind IN ('campaign', 'identity')),
    changes BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
