-- Attackers: observed IP addresses.
CREATE TABLE IF NOT EXISTS ttp_attacker (
    uuid          BINARY(16) NOT NULL PRIMARY KEY,
    ip            VARCHAR(45) CHECK (CHAR_LENGTH(ip) BETWEEN 2 AND 45),
    identity_uuid BINARY(16),
    KEY ttp_attacker_identity (identity_uuid, uuid),
    KEY ttp_attacker_ip (ip, uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
