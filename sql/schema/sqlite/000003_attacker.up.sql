-- Attackers: observed IP addresses.
CREATE TABLE IF NOT EXISTS ttp_attacker (
    uuid          BLOB NOT NULL PRIMARY KEY CHECK (length(uuid) = 16),
    ip            TEXT CHECK (length(ip) BETWEEN 2 AND 45),
    identity_uuid BLOB CHECK (length(identity_uuid) = 16)
) STRICT;
CREATE INDEX IF NOT EXISTS ttp_attacker_identity ON ttp_attacker (identity_uuid, uuid);
CREATE INDEX IF NOT EXISTS ttp_attacker_ip ON ttp_attacker (ip, uuid);
