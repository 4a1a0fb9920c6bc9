-- The tables of DECNET's own schema that concern tags, in the spelling of MySQL, which SQLite takes too.
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('4a914b1d62a0');

CREATE TABLE campaigns (
    uuid VARCHAR(255) NOT NULL PRIMARY KEY,
    schema_version INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    identity_count INTEGER NOT NULL,
    merged_into_uuid VARCHAR(255),
    FOREIGN KEY (merged_into_uuid) REFERENCES campaigns (uuid)
);

CREATE TABLE attacker_identities (
    uuid VARCHAR(255) NOT NULL PRIMARY KEY,
    schema_version INTEGER NOT NULL,
    campaign_id VARCHAR(255),
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    observation_count INTEGER NOT NULL,
    merged_into_uuid VARCHAR(255),
    FOREIGN KEY (campaign_id) REFERENCES campaigns (uuid),
    FOREIGN KEY (merged_into_uuid) REFERENCES attacker_identities (uuid)
);

CREATE TABLE attackers (
    uuid VARCHAR(255) NOT NULL PRIMARY KEY,
    ip VARCHAR(255) NOT NULL,
    identity_id VARCHAR(255),
    first_seen DATETIME NOT NULL,
    last_seen DATETIME NOT NULL,
    event_count INTEGER NOT NULL,
    updated_at DATETIME NOT NULL,
    FOREIGN KEY (identity_id) REFERENCES attacker_identities (uuid)
);
CREATE INDEX ix_attackers_ip ON attackers (ip);
INSERT INTO attackers VALUES
    ('d0a3a7ff-7a6a-4b0c-8ea7-7a1a53f3a1b5', '203.0.113.7', NULL, '2026-03-01 12:00:00', '2026-03-01 12:00:00', 1, '2026-03-01 12:00:00');

CREATE TABLE ttp_tag (
    uuid VARCHAR(255) NOT NULL PRIMARY KEY,
    source_kind VARCHAR(255) NOT NULL,
    source_id VARCHAR(255) NOT NULL,
    attacker_uuid VARCHAR(255),
    identity_uuid VARCHAR(255),
    session_id VARCHAR(255),
    decky_id VARCHAR(255),
    tactic VARCHAR(255) NOT NULL,
    technique_id VARCHAR(255) NOT NULL,
    sub_technique_id VARCHAR(255),
    confidence FLOAT NOT NULL,
    rule_id VARCHAR(255) NOT NULL,
    rule_version INTEGER NOT NULL,
    evidence JSON NOT NULL,
    attack_release VARCHAR(255) NOT NULL,
    mitre_url VARCHAR(255),
    created_at DATETIME NOT NULL,
    CONSTRAINT ttp_tag_has_anchor CHECK (attacker_uuid IS NOT NULL OR identity_uuid IS NOT NULL),
    CONSTRAINT ttp_tag_confidence_range CHECK (confidence >= 0.0 AND confidence <= 1.0),
    FOREIGN KEY (attacker_uuid) REFERENCES attackers (uuid) ON DELETE CASCADE,
    FOREIGN KEY (identity_uuid) REFERENCES attacker_identities (uuid) ON DELETE CASCADE
);
CREATE INDEX ix_ttp_tag_attack_release ON ttp_tag (attack_release);
CREATE INDEX ix_ttp_tag_attacker_uuid ON ttp_tag (attacker_uuid);
CREATE INDEX ix_ttp_tag_identity_uuid ON ttp_tag (identity_uuid);
CREATE INDEX ix_ttp_tag_session_id ON ttp_tag (session_id);
CREATE INDEX ix_ttp_tag_decky_id ON ttp_tag (decky_id);
CREATE INDEX ix_ttp_tag_tactic ON ttp_tag (tactic);
CREATE INDEX ix_ttp_tag_technique_id ON ttp_tag (technique_id);
CREATE INDEX ix_ttp_tag_sub_technique_id ON ttp_tag (sub_technique_id);
CREATE INDEX ix_ttp_tag_rule_id ON ttp_tag (rule_id);
CREATE INDEX ix_ttp_tag_created_at ON ttp_tag (created_at);
CREATE INDEX ix_ttp_tag_attacker_technique ON ttp_tag (attacker_uuid, technique_id);
CREATE INDEX ix_ttp_tag_identity_technique ON ttp_tag (identity_uuid, technique_id);
CREATE INDEX ix_ttp_tag_technique_created ON ttp_tag (technique_id, created_at);
INSERT INTO ttp_tag VALUES
    ('3f0cb4a4-4c6e-5a53-9a0a-0c2d3b9a7e10', 'command', 'cmd_42', 'd0a3a7ff-7a6a-4b0c-8ea7-7a1a53f3a1b5', NULL, 's1', 'decky-01',
     'TA0007', 'T1083', NULL, 0.7, 'R0014', 2, '{"line": "ls -la"}', 'v15.1', NULL, '2026-03-01 12:00:00');
