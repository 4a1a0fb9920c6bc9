CREATE VIEW ttp_campaign_view AS SELECT
    lower(substr(hex(uuid), 1, 8) || '-' || substr(hex(uuid), 9, 4) || '-' || substr(hex(uuid), 13, 4) || '-' || substr(hex(uuid), 17, 4) || '-' || substr(hex(uuid), 21)) AS uuid,
    name,
    CASE WHEN merged_into_uuid IS NOT NULL THEN lower(substr(hex(merged_into_uuid), 1, 8) || '-' || substr(hex(merged_into_uuid), 9, 4) || '-' || substr(hex(merged_into_uuid), 13, 4) || '-' || substr(hex(merged_into_uuid), 17, 4) || '-' || substr(hex(merged_into_uuid), 21)) END AS merged_into_uuid,
    lower(substr(hex(survivor_uuid), 1, 8) || '-' || substr(hex(survivor_uuid), 9, 4) || '-' || substr(hex(survivor_uuid), 13, 4) || '-' || substr(hex(survivor_uuid), 17, 4) || '-' || substr(hex(survivor_uuid), 21)) AS survivor_uuid
FROM ttp_campaign
