-- 000001_campaign.up.sql
-- Campaigns: identities that act together.
CREATE TABLE IF NOT EXISTS ttp_campaign (
    uuid             BINARY(16) NOT NULL PRIMARY KEY,
    name             VARCHAR(255) CHECK (CHAR_LENGTH(name) BETWEEN 1 AND 255),
    merged_into_uuid BINARY(16),
    -- The campaign at the end of the merge chain, uuid itself without a merge. Writers of merged_into_uuid
    -- maintain it, so that reads need not walk the chain.
    survivor_uuid    BINARY(16) NOT NULL,
    CHECK (merged_into_uuid <> uuid),
    KEY ttp_campaign_merged_into (merged_into_uuid, uuid),
    KEY ttp_campaign_survivor (survivor_uuid, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- 000002_identity.up.sql
-- Identities: attackers that are one actor.
CREATE TABLE IF NOT EXISTS ttp_identity (
    uuid             BINARY(16) NOT NULL PRIMARY KEY,
    campaign_uuid    BINARY(16),
    merged_into_uuid BINARY(16),
    -- The identity at the end of the merge chain, uuid itself without a merge. Writers of merged_into_uuid
    -- maintain it, so that reads need not walk the chain.
    survivor_uuid    BINARY(16) NOT NULL,
    CHECK (merged_into_uuid <> uuid),
    KEY ttp_identity_campaign (campaign_uuid, uuid, merged_into_uuid),
    KEY ttp_identity_merged_into (merged_into_uuid, uuid),
    KEY ttp_identity_survivor (survivor_uuid, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- 000003_attacker.up.sql
-- Attackers: observed IP addresses.
CREATE TABLE IF NOT EXISTS ttp_attacker (
    uuid          BINARY(16) NOT NULL PRIMARY KEY,
    ip            VARCHAR(45) CHECK (CHAR_LENGTH(ip) BETWEEN 2 AND 45),
    identity_uuid BINARY(16),
    KEY ttp_attacker_identity (identity_uuid, uuid),
    KEY ttp_attacker_ip (ip, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- 000004_tag.up.sql
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

-- 000005_merge_lock.up.sql
-- One row per kind of scope. Every transaction that changes a merge updates it first: this serializes merges, so
-- that two concurrent ones cannot close a cycle.
CREATE TABLE IF NOT EXISTS ttp_merge_lock (
    kind    VARCHAR(16) NOT NULL PRIMARY KEY CHECK (kind IN ('campaign', 'identity')),
    changes BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- 000006_tombstone.up.sql
-- Tombstones: removals whose tags must not be written again.
CREATE TABLE IF NOT EXISTS ttp_tombstone (
    uuid       BINARY(16) NOT NULL PRIMARY KEY, -- UUIDv7
    removed    VARCHAR(2048) NOT NULL CHECK (CHAR_LENGTH(removed) BETWEEN 1 AND 2048), -- the operation
    reason     VARCHAR(255) CHECK (CHAR_LENGTH(reason) BETWEEN 1 AND 255),
    created_at BIGINT NOT NULL, -- microseconds since 1970, UTC
    tags       BIGINT NOT NULL CHECK (tags >= 0) -- number of tombstoned tags
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- 000007_tombstoned_tag.up.sql
-- Removed tags that must not be written again.
CREATE TABLE IF NOT EXISTS ttp_tombstoned_tag (
    uuid           BINARY(16) NOT NULL PRIMARY KEY, -- of the tag
    tombstone_uuid BINARY(16) NOT NULL,
    KEY ttp_tombstoned_tag_tombstone (tombstone_uuid, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- 000008_technique_count.up.sql
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

-- 000009_count_techniques.up.sql
-- Counts the tags that were written before ttp_technique_count existed.
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale)
SELECT technique_key, 0, COUNT(*), MIN(observed_at), MAX(observed_at), MAX(confidence), 0 FROM ttp_tag
GROUP BY technique_key
ON DUPLICATE KEY UPDATE
    tags = VALUES(tags), first_seen = VALUES(first_seen), last_seen = VALUES(last_seen),
    confidence_max = VALUES(confidence_max), stale = 0;

-- 000010_attack_release.up.sql
-- ATT&CK releases that a user loaded, in the compact form of attack.Catalogue.
CREATE TABLE IF NOT EXISTS ttp_attack_release (
    name    VARCHAR(32) NOT NULL PRIMARY KEY, -- such as enterprise-v18.1
    content MEDIUMBLOB NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The version of the schema.
CREATE TABLE IF NOT EXISTS ttp_schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL);
DELETE FROM ttp_schema_migrations;
INSERT INTO ttp_schema_migrations (version, dirty) VALUES (10, FALSE);
INSERT INTO ttp_attack_release (name, content) VALUES (x'656e74657270726973652d76312e30', x'1f8b08000000000002ffaccf310e02211085e11a4eb11710661a0b130acf201718c998252e8830983dbe896bb5a1dc7ee6fff2380bd75263e3d3070d688f88a03225769ec39ce3bbf3f47a4cbb3b25142486e6fc1500ceaad7c5cd22a55dac25110a4fc32ba5b2b01d0a060037e5d6ef87f62d00eaffd736e3571a183a91d4b8eea86f000000ffffa5c7573911010000');
INSERT INTO ttp_tag (uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id, tactic, technique_id, sub_technique_id, confidence, rule_id, rule_version, evidence, attack_release, observed_at, ingested_at, batch_uuid, technique_key) VALUES (x'0611d0141e8e54e3a758991f0d3cc084', x'636f6d6d616e64', x'34', NULL, x'ae3e7201c1855ae3a34309e63aa4ec85', NULL, NULL, x'544130303036', x'5431353636', NULL, 0.7, x'5231303031', 1, x'7b227375626a656374223a224772c3bcc39f65205c22275c5c227d', x'656e74657270726973652d7631382e31', 1772366400000000, 1795613255248782, x'01a212e3e6507bee9e34aee1b48ffb48', 156600000006101801);
INSERT INTO ttp_tag (uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id, tactic, technique_id, sub_technique_id, confidence, rule_id, rule_version, evidence, attack_release, observed_at, ingested_at, batch_uuid, technique_key) VALUES (x'169fc8171df856af86fa107c0cd40473', x'636f6d6d616e64', x'31', x'2b92f22d3cba58d6b51f4b0ea5311294', NULL, x'73657373696f6e', x'6465636b79', x'544130303036', x'5431313130', NULL, 0.7, x'5231303031', 1, x'7b7d', x'656e74657270726973652d7631382e31', 1772366400000000, 1795613255248782, x'01a212e3e6507bee9e34aee1b48ffb48', 111000000006101801);
INSERT INTO ttp_tag (uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id, tactic, technique_id, sub_technique_id, confidence, rule_id, rule_version, evidence, attack_release, observed_at, ingested_at, batch_uuid, technique_key) VALUES (x'469fbab47e3559fc9f95a0554c6d28a6', x'636f6d6d616e64', x'32', x'b9afaa6f2c6858249c43230f18ca87db', x'07053a7dbc775b5fb64872e38a5e990a', x'73657373696f6e', NULL, x'544130303036', x'5431313130', x'54313131302e303031', 0.7, x'5231303031', 1, x'7b7d', x'656e74657270726973652d7631382e31', 1772366400000000, 1795613255248782, x'01a212e3e6507bee9e34aee1b48ffb48', 111000020006101801);
INSERT INTO ttp_tag (uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id, tactic, technique_id, sub_technique_id, confidence, rule_id, rule_version, evidence, attack_release, observed_at, ingested_at, batch_uuid, technique_key) VALUES (x'd469e96654ce50fe9ce91023ad153aa2', x'636f6d6d616e64', x'33', x'5a370bac321a51738c570b4f1c017223', NULL, NULL, NULL, x'544130313038', x'5430383833', NULL, 0.7, x'5231303031', 1, x'7b7d', x'6963732d7631382e31', 1772366400000000, 1795613255248782, x'01a212e3e6507bee9e34aee1b48ffb48', 88300000108201801);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (88300000108201801, 9, 1, 1772366400000000, 1772366400000000, 0.7, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 0, 1, 1772366400000000, 1772366400000000, 0.7, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 1, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 2, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 3, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 4, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 5, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 6, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 7, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 8, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 9, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 10, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 11, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 12, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 13, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 14, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000000006101801, 15, 0, 9223372036854775807, -9223372036854775807, 0, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (111000020006101801, 9, 1, 1772366400000000, 1772366400000000, 0.7, 0);
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale) VALUES (156600000006101801, 9, 1, 1772366400000000, 1772366400000000, 0.7, 0);
INSERT INTO ttp_attacker (uuid, ip, identity_uuid) VALUES (x'2b92f22d3cba58d6b51f4b0ea5311294', x'3139322e302e322e37', x'ae3e7201c1855ae3a34309e63aa4ec85');
INSERT INTO ttp_attacker (uuid, ip, identity_uuid) VALUES (x'5a370bac321a51738c570b4f1c017223', NULL, NULL);
INSERT INTO ttp_attacker (uuid, ip, identity_uuid) VALUES (x'b9afaa6f2c6858249c43230f18ca87db', x'323030313a6462383a3a31', x'07053a7dbc775b5fb64872e38a5e990a');
INSERT INTO ttp_campaign (uuid, name, merged_into_uuid, survivor_uuid) VALUES (x'a58739dc9e4e5087981fc0edf6e76f38', x'4772c3bc6e', NULL, x'a58739dc9e4e5087981fc0edf6e76f38');
INSERT INTO ttp_campaign (uuid, name, merged_into_uuid, survivor_uuid) VALUES (x'f8a449d59eb953dfa0c0d76742ac970a', NULL, x'a58739dc9e4e5087981fc0edf6e76f38', x'a58739dc9e4e5087981fc0edf6e76f38');
INSERT INTO ttp_identity (uuid, campaign_uuid, merged_into_uuid, survivor_uuid) VALUES (x'07053a7dbc775b5fb64872e38a5e990a', NULL, x'ae3e7201c1855ae3a34309e63aa4ec85', x'ae3e7201c1855ae3a34309e63aa4ec85');
INSERT INTO ttp_identity (uuid, campaign_uuid, merged_into_uuid, survivor_uuid) VALUES (x'ae3e7201c1855ae3a34309e63aa4ec85', x'a58739dc9e4e5087981fc0edf6e76f38', NULL, x'ae3e7201c1855ae3a34309e63aa4ec85');
INSERT INTO ttp_merge_lock (kind, changes) VALUES (x'63616d706169676e', 1);
INSERT INTO ttp_merge_lock (kind, changes) VALUES (x'6964656e74697479', 1);
INSERT INTO ttp_tombstone (uuid, removed, reason, created_at, tags) VALUES (x'01a212e3e6767eb3a6fbbc9d3022f9bf', x'70757267652073657373696f6e2072656d6f766564', x'612074657374', 1795613255292696, 1);
INSERT INTO ttp_tombstoned_tag (uuid, tombstone_uuid) VALUES (x'8f49dcd23b0c5b0797722e54e73c9369', x'01a212e3e6767eb3a6fbbc9d3022f9bf');
