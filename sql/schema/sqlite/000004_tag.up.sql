-- Tags: ATT&CK techniques that a rule recognised in source events. No foreign keys: a tag may precede its
-- scopes and outlives its source.
--
-- The CHECKs are a last line of defence, the same on both engines. The validation in Go also covers what SQL
-- cannot express: control characters, leading and trailing spaces, and the value of uuid.
CREATE TABLE IF NOT EXISTS ttp_tag (
    uuid             BLOB NOT NULL PRIMARY KEY CHECK (length(uuid) = 16),
    source_kind      TEXT NOT NULL CHECK (length(source_kind) BETWEEN 1 AND 64),
    source_id        TEXT NOT NULL CHECK (length(source_id) BETWEEN 1 AND 255),
    attacker_uuid    BLOB CHECK (length(attacker_uuid) = 16),
    identity_uuid    BLOB CHECK (length(identity_uuid) = 16),
    session_id       TEXT CHECK (length(session_id) BETWEEN 1 AND 255),
    decky_id         TEXT CHECK (length(decky_id) BETWEEN 1 AND 255),
    tactic           TEXT NOT NULL CHECK (tactic GLOB 'TA[0-9][0-9][0-9][0-9]'),
    technique_id     TEXT NOT NULL CHECK (technique_id GLOB 'T[0-9][0-9][0-9][0-9]'),
    sub_technique_id TEXT CHECK (sub_technique_id GLOB 'T[0-9][0-9][0-9][0-9].[0-9][0-9][0-9]'
                                 AND substr(sub_technique_id, 1, 5) = technique_id),
    confidence       REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    rule_id          TEXT NOT NULL CHECK (length(rule_id) BETWEEN 1 AND 64),
    rule_version     INTEGER NOT NULL CHECK (rule_version >= 0),
    evidence         TEXT NOT NULL CHECK (octet_length(evidence) <= 65536
                                          AND json_valid(evidence) AND json_type(evidence) = 'object'),
    attack_release   TEXT NOT NULL CHECK (length(attack_release) <= 32
                                          AND (attack_release GLOB 'enterprise-v[0-9]*.[0-9]*'
                                               OR attack_release GLOB 'ics-v[0-9]*.[0-9]*'
                                               OR attack_release GLOB 'mobile-v[0-9]*.[0-9]*')),
    observed_at      INTEGER NOT NULL, -- microseconds since 1970, UTC
    ingested_at      INTEGER NOT NULL, -- microseconds since 1970, UTC
    batch_uuid       BLOB NOT NULL CHECK (length(batch_uuid) = 16),
    -- The grouping key of rollups, 18 digits: technique 4, sub-technique plus one 4 (0 for none), tactic 4,
    -- domain 1 (enterprise 1, ics 2, mobile 3), major version 3, minor version 2. An index entry has 8 bytes
    -- instead of about 35, and sorting compares one number instead of four texts. It is not a generated
    -- column, since SQLite does not use an index with a generated column as covering.
    technique_key    INTEGER NOT NULL CHECK (technique_key =
        CAST(substr(technique_id, 2) AS INTEGER) * 100000000000000
        + coalesce(CAST(substr(sub_technique_id, 7) AS INTEGER) + 1, 0) * 10000000000
        + CAST(substr(tactic, 3) AS INTEGER) * 1000000
        + CASE substr(attack_release, 1, 1) WHEN 'e' THEN 100000 WHEN 'i' THEN 200000 ELSE 300000 END
        + CAST(substr(attack_release, instr(attack_release, '-v') + 2) AS INTEGER) * 100
        + CAST(substr(attack_release, instr(attack_release, '.') + 1) AS INTEGER)
    ),
    CHECK (attacker_uuid IS NOT NULL OR identity_uuid IS NOT NULL)
) STRICT;
-- One covering index per scope: the scope, the sort key of lists, and the columns that rollups read. It serves
-- rollups, windows, timelines and pages. The attacker index includes identity_uuid, since the scope of an
-- identity contains the tags of its attackers that have no identity.
--
-- Bytes per tag, for 100,000 honeypot-like tags of which two thirds have no identity: attacker 76, session 65,
-- observed 52, technique 35, identity 23. The indexes are partial (MySQL has no partial indexes), since no read
-- needs tags without the scope; the identity index would take 59 otherwise. Confidence takes 9 bytes per entry
-- and saves reading the table for confidence_max. The uuid takes 17 and orders pages; inserts into a million
-- tags were not faster without it. A second index per scope by technique_key would save rollups the sort, half
-- of their time, for 124 more bytes. See bench/notes.md for details and the cost of each index.
CREATE INDEX IF NOT EXISTS ttp_tag_identity ON ttp_tag
    (identity_uuid, observed_at, uuid, technique_key, confidence) WHERE identity_uuid IS NOT NULL;
CREATE INDEX IF NOT EXISTS ttp_tag_attacker ON ttp_tag
    (attacker_uuid, observed_at, uuid, identity_uuid, technique_key, confidence) WHERE attacker_uuid IS NOT NULL;
CREATE INDEX IF NOT EXISTS ttp_tag_session ON ttp_tag
    (session_id, observed_at, uuid, technique_key, confidence) WHERE session_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS ttp_tag_observed ON ttp_tag
    (observed_at, uuid, technique_key, confidence);
-- For filtered rollups of the fleet and the actors of a technique.
CREATE INDEX IF NOT EXISTS ttp_tag_technique ON ttp_tag
    (technique_key, observed_at, confidence);
