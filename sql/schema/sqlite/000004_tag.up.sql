-- Tags: this source event shows this ATT&CK technique, says this rule. No foreign keys: a tag may
-- come before its scopes and outlives its source.
--
-- The CHECKs are the last line of defence, the same on both engines; the Go validation in front of
-- them is stricter where SQL cannot say it (control characters, outer spaces, the uuid itself).
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
    -- What rollups group by, as one number of 18 digits: technique 4, sub-technique plus one 4 (0 for
    -- none), tactic 4, domain 1 (enterprise 1, ics 2, mobile 3), major version 3, minor version 2. An
    -- index entry holds 8 bytes in place of some 35, and sorting compares numbers in place of four texts.
    -- A checked column, since SQLite takes no index for covering that holds a generated one.
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
-- One covering index a scope: the scope, then the order of lists, then what rollups read. One index
-- so serves rollups, windows, timelines and pages. The attacker's index carries identity_uuid, because
-- an identity also owns the tags of its attackers that name no identity.
--
-- Bytes a tag, of 100,000 honeypot-like tags of which two thirds name no identity: attacker 76, session 65,
-- observed 52, technique 35, identity 23. The identity's was 59 while it held those that name none: no read
-- looks for them there, so each index leaves out the tags without its scope. (MySQL has no partial indexes.)
-- Confidence takes 9 in each and uuid 17: they stay, the one for confidence_max without a look at the table,
-- the other for pages in one order; inserts into a million tags were no faster without uuid, since they pay
-- for pages, not for bytes. A second index of each scope by technique_key would spare rollups the sort,
-- half of their time, for 124 bytes more; see bench/notes.md for these and what each index costs.
CREATE INDEX IF NOT EXISTS ttp_tag_identity ON ttp_tag
    (identity_uuid, observed_at, uuid, technique_key, confidence) WHERE identity_uuid IS NOT NULL;
CREATE INDEX IF NOT EXISTS ttp_tag_attacker ON ttp_tag
    (attacker_uuid, observed_at, uuid, identity_uuid, technique_key, confidence) WHERE attacker_uuid IS NOT NULL;
CREATE INDEX IF NOT EXISTS ttp_tag_session ON ttp_tag
    (session_id, observed_at, uuid, technique_key, confidence) WHERE session_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS ttp_tag_observed ON ttp_tag
    (observed_at, uuid, technique_key, confidence);
-- The fleet's filtered rollups, and who shows a technique.
CREATE INDEX IF NOT EXISTS ttp_tag_technique ON ttp_tag
    (technique_key, observed_at, confidence);
