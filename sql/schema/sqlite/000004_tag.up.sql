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
    CHECK (attacker_uuid IS NOT NULL OR identity_uuid IS NOT NULL)
) STRICT;
-- One covering index a rollup: the scope, then the group, then what is aggregated.
-- The attacker's index carries identity_uuid second, because an identity also owns the tags of its
-- attackers that name no identity, and must find exactly those.
CREATE INDEX IF NOT EXISTS ttp_tag_identity ON ttp_tag
    (identity_uuid, technique_id, sub_technique_id, tactic, attack_release, observed_at, confidence);
CREATE INDEX IF NOT EXISTS ttp_tag_attacker ON ttp_tag
    (attacker_uuid, identity_uuid, technique_id, sub_technique_id, tactic, attack_release, observed_at, confidence);
CREATE INDEX IF NOT EXISTS ttp_tag_session ON ttp_tag
    (session_id, technique_id, sub_technique_id, tactic, attack_release, observed_at, confidence);
CREATE INDEX IF NOT EXISTS ttp_tag_technique ON ttp_tag
    (technique_id, sub_technique_id, tactic, attack_release, observed_at, confidence);
