CREATE SQL SECURITY INVOKER VIEW ttp_attacker_view AS SELECT
    LOWER(CONCAT_WS('-', SUBSTR(HEX(uuid), 1, 8), SUBSTR(HEX(uuid), 9, 4), SUBSTR(HEX(uuid), 13, 4), SUBSTR(HEX(uuid), 17, 4), SUBSTR(HEX(uuid), 21))) AS uuid,
    ip,
    IF(identity_uuid IS NULL, NULL, LOWER(CONCAT_WS('-', SUBSTR(HEX(identity_uuid), 1, 8), SUBSTR(HEX(identity_uuid), 9, 4), SUBSTR(HEX(identity_uuid), 13, 4), SUBSTR(HEX(identity_uuid), 17, 4), SUBSTR(HEX(identity_uuid), 21)))) AS identity_uuid
FROM ttp_attacker
