CREATE SQL SECURITY INVOKER VIEW ttp_campaign_view AS SELECT
    LOWER(CONCAT_WS('-', SUBSTR(HEX(uuid), 1, 8), SUBSTR(HEX(uuid), 9, 4), SUBSTR(HEX(uuid), 13, 4), SUBSTR(HEX(uuid), 17, 4), SUBSTR(HEX(uuid), 21))) AS uuid,
    name,
    IF(merged_into_uuid IS NULL, NULL, LOWER(CONCAT_WS('-', SUBSTR(HEX(merged_into_uuid), 1, 8), SUBSTR(HEX(merged_into_uuid), 9, 4), SUBSTR(HEX(merged_into_uuid), 13, 4), SUBSTR(HEX(merged_into_uuid), 17, 4), SUBSTR(HEX(merged_into_uuid), 21)))) AS merged_into_uuid,
    LOWER(CONCAT_WS('-', SUBSTR(HEX(survivor_uuid), 1, 8), SUBSTR(HEX(survivor_uuid), 9, 4), SUBSTR(HEX(survivor_uuid), 13, 4), SUBSTR(HEX(survivor_uuid), 17, 4), SUBSTR(HEX(survivor_uuid), 21))) AS survivor_uuid
FROM ttp_campaign
