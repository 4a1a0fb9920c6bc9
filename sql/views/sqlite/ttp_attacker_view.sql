CREATE VIEW ttp_attacker_view AS SELECT
    lower(substr(hex(uuid), 1, 8) || '-' || substr(hex(uuid), 9, 4) || '-' || substr(hex(uuid), 13, 4) || '-' || substr(hex(uuid), 17, 4) || '-' || substr(hex(uuid), 21)) AS uuid,
    ip,
    CASE WHEN identity_uuid IS NOT NULL THEN lower(substr(hex(identity_uuid), 1, 8) || '-' || substr(hex(identity_uuid), 9, 4) || '-' || substr(hex(identity_uuid), 13, 4) || '-' || substr(hex(identity_uuid), 17, 4) || '-' || substr(hex(identity_uuid), 21)) END AS identity_uuid
FROM ttp_attacker
