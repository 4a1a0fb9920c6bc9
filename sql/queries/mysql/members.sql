-- name: ListMembersOfIdentity :many
-- Whose tags an identity has: the survivor, whether it is stored or not, all that are merged into it, and their
-- attackers, each with its identity. Without WITH, which vtgate does not prepare.
SELECT s.uuid AS survivor_uuid, s.uuid AS identity_uuid, a.uuid AS attacker_uuid
FROM (SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                           sqlc.arg(identity_uuid)) AS BINARY(16)) AS uuid) s
LEFT JOIN ttp_attacker a ON a.identity_uuid = s.uuid
UNION ALL
SELECT m.survivor_uuid, m.uuid AS identity_uuid, a.uuid AS attacker_uuid
FROM (SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                           sqlc.arg(identity_uuid)) AS BINARY(16)) AS uuid) s
STRAIGHT_JOIN ttp_identity m ON m.survivor_uuid = s.uuid AND m.uuid <> s.uuid
LEFT JOIN ttp_attacker a ON a.identity_uuid = m.uuid;

-- name: ListMembersOfCampaign :many
-- The same for a campaign and all that are merged into its survivor: their surviving identities, with all
-- that are merged into these.
SELECT m.survivor_uuid, m.uuid AS identity_uuid, a.uuid AS attacker_uuid
FROM (SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                           sqlc.arg(campaign_uuid)) AS BINARY(16)) AS uuid
      UNION ALL
      SELECT c.uuid
      FROM (SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                                 sqlc.arg(campaign_uuid)) AS BINARY(16)) AS uuid) survivor
      STRAIGHT_JOIN ttp_campaign c ON c.survivor_uuid = survivor.uuid AND c.uuid <> survivor.uuid) campaign
STRAIGHT_JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
STRAIGHT_JOIN ttp_identity m ON m.survivor_uuid = s.uuid
LEFT JOIN ttp_attacker a ON a.identity_uuid = m.uuid;

-- name: ListIdentitiesBySurvivors :many
-- The identities that answer as one of these.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE survivor_uuid IN (sqlc.slice(uuids));

-- name: ListAttackersByIdentities :many
-- The attackers that have one of these identities.
SELECT uuid, ip, identity_uuid FROM ttp_attacker WHERE identity_uuid IN (sqlc.slice(uuids));
