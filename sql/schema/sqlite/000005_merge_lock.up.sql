-- One row a kind of scope, written first by every transaction that changes a merge pointer: such
-- transactions follow one another, so that two merges that race cannot close a cycle.
CREATE TABLE IF NOT EXISTS ttp_merge_lock (
    kind    TEXT NOT NULL PRIMARY KEY CHECK (kind IN ('campaign', 'identity')),
    changes INTEGER NOT NULL
) STRICT;
