-- Tags: ATT&CK techniques that a rule recognised in source events. No foreign keys: a tag may precede its
-- scopes and outlives its source.
--
-- The CHECKs are a last line of defence, the same on both engines. The validation in Go also covers what SQL
-- cannot express: control characters, leading and trailing spaces, and the value of uuid.
CREATE TABLE IF NOT EXISTS ttp_tag (
    uuid             BINARY(16) NOT NULL PRIMARY KEY,
    source_kind      VARCHAR(64) NOT NULL CHECK (CHAR_LENGTH(source_kind) BETWEEN 1 AND 64),
    source_id        VARCHAR(255) NOT NULL CHECK (CHAR_LENGTH(source_id) BETWEEN 1 AND 255),
    attacker_uuid    BINARY(16),
    identity_uuid    BINARY(16),
    session_id       VARCHAR(255) CHECK (CHAR_LENGTH(session_id) BETWEEN 1 AND 255),
    decky_id         VARCHAR(255) CHECK (CHAR_LENGTH(decky_id) BETWEEN 1 AND 255),
    tactic           VARCHAR(6) NOT NULL,
    technique_id     VARCHAR(5) NOT NULL,
    sub_technique_id VARCHAR(9),
    confidence       DOUBLE NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    rule_id          VARCHAR(64) NOT NULL CHECK (CHAR_LENGTH(rule_id) BETWEEN 1 AND 64),
    rule_version     BIGINT NOT NULL CHECK (rule_version >= 0),
    -- MEDIUMTEXT, since TEXT is limited to one byte less than 64 KiB; not JSON, which MySQL rewrites.
    evidence         MEDIUMTEXT NOT NULL,
    attack_release   VARCHAR(32) NOT NULL,
    observed_at      BIGINT NOT NULL, -- microseconds since 1970, UTC
    ingested_at      BIGINT NOT NULL, -- microseconds since 1970, UTC
    batch_uuid       BINARY(16) NOT NULL,
    -- The grouping key of rollups, 18 digits: technique 4, sub-technique plus one 4 (0 for none), tactic 4,
    -- domain 1 (enterprise 1, ics 2, mobile 3), major version 3, minor version 2. An index entry has 8 bytes
    -- instead of about 35, and sorting compares one number instead of four texts. It is not a generated
    -- column, since SQLite does not use an index with a generated column as covering.
    technique_key    BIGINT NOT NULL,
    CHECK (CHAR_LENGTH(tactic) = 6 AND tactic REGEXP '^TA[0-9]{4}'),
    CHECK (CHAR_LENGTH(technique_id) = 5 AND technique_id REGEXP '^T[0-9]{4}'),
    CHECK (CHAR_LENGTH(sub_technique_id) = 9 AND sub_technique_id REGEXP '^T[0-9]{4}[.][0-9]{3}'
           AND SUBSTR(sub_technique_id, 1, 5) = technique_id),
    CHECK (OCTET_LENGTH(evidence) <= 65536 AND JSON_VALID(evidence) AND JSON_TYPE(evidence) = 'OBJECT'),
    CHECK (attack_release REGEXP '^(enterprise|ics|mobile)-v[0-9].*[.][0-9]'),
    CHECK (technique_key =
        CAST(SUBSTR(technique_id, 2) AS SIGNED) * 100000000000000
        + COALESCE(CAST(SUBSTR(sub_technique_id, 7) AS SIGNED) + 1, 0) * 10000000000
        + CAST(SUBSTR(tactic, 3) AS SIGNED) * 1000000
        + CASE SUBSTR(attack_release, 1, 1) WHEN 'e' THEN 100000 WHEN 'i' THEN 200000 ELSE 300000 END
        + CAST(SUBSTRING_INDEX(SUBSTRING_INDEX(attack_release, '-v', -1), '.', 1) AS SIGNED) * 100
        + CAST(SUBSTRING_INDEX(attack_release, '.', -1) AS SIGNED)
    ),
    CHECK (attacker_uuid IS NOT NULL OR identity_uuid IS NOT NULL),
    -- One covering index per scope: the scope, the sort key of lists, and the columns that rollups read. It
    -- serves rollups, windows, timelines and pages. The attacker index includes identity_uuid, since the scope
    -- of an identity contains the tags of its attackers that have no identity. (The indexes of SQLite are
    -- partial; its migration lists their sizes.)
    KEY ttp_tag_identity (identity_uuid, observed_at, uuid, technique_key, confidence),
    KEY ttp_tag_attacker (attacker_uuid, observed_at, uuid, identity_uuid, technique_key, confidence),
    KEY ttp_tag_session (session_id, observed_at, uuid, technique_key, confidence),
    KEY ttp_tag_observed (observed_at, uuid, technique_key, confidence),
    -- For filtered rollups of the fleet and the actors of a technique.
    KEY ttp_tag_technique (technique_key, observed_at, confidence)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
