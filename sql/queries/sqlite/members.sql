-- name: ListMembersOfIdentity :many
-- The members of an identity: its survivor, stored or not, all identities merged into the survivor, and the
-- attackers of each. Derived tables instead of a CTE: vtgate cannot prepare WITH.
SELECT s.uuid AS survivor_uuid, s.uuid AS identity_uuid, a.uuid AS attacker_uuid
FROM (SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                           sqlc.arg(identity_uuid)) AS BLOB) AS uuid) s
LEFT JOIN ttp_attacker a ON a.identity_uuid = s.uuid
UNION ALL
SELECT m.survivor_uuid, m.uuid AS identity_uuid, a.uuid AS attacker_uuid
FROM (SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                           sqlc.arg(identity_uuid)) AS BLOB) AS uuid) s
CROSS JOIN ttp_identity m ON m.survivor_uuid = s.uuid AND m.uuid <> s.uuid
LEFT JOIN ttp_attacker a ON a.identity_uuid = m.uuid;

-- name: ListMembersOfCampaign :many
-- The members of a campaign: the surviving identities of its survivor and of all campaigns merged into the
-- survivor, all identities merged into these, and the attackers of each.
SELECT m.survivor_uuid, m.uuid AS identity_uuid, a.uuid AS attacker_uuid
FROM (SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                           sqlc.arg(campaign_uuid)) AS BLOB) AS uuid
      UNION ALL
      SELECT c.uuid
      FROM (SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                                 sqlc.arg(campaign_uuid)) AS BLOB) AS uuid) survivor
      CROSS JOIN ttp_campaign c ON c.survivor_uuid = survivor.uuid AND c.uuid <> survivor.uuid) campaign
CROSS JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
CROSS JOIN ttp_identity m ON m.survivor_uuid = s.uuid
LEFT JOIN ttp_attacker a ON a.identity_uuid = m.uuid;

-- name: ListIdentitiesBySurvivors :many
-- The survivors that are stored and all identities merged into them.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE survivor_uuid IN (sqlc.slice(uuids));

-- name: ListAttackersByIdentities :many
-- The attackers of these identities.
SELECT uuid, ip, identity_uuid FROM ttp_attacker WHERE identity_uuid IN (sqlc.slice(uuids));
