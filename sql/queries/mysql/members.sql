-- name: ListMembersOfIdentity :many
-- The members of an identity: its survivor, stored or not, all identities merged into the survivor, and the
-- attackers of each.
WITH survivor AS (
    SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                         sqlc.arg(identity_uuid)) AS BINARY(16)) AS uuid
), member AS (
    SELECT uuid FROM survivor
    UNION ALL
    SELECT i.uuid FROM survivor STRAIGHT_JOIN ttp_identity i ON i.survivor_uuid = survivor.uuid AND i.uuid <> survivor.uuid
)
SELECT survivor.uuid AS survivor_uuid, member.uuid AS identity_uuid, a.uuid AS attacker_uuid
FROM survivor
STRAIGHT_JOIN member
LEFT JOIN ttp_attacker a ON a.identity_uuid = member.uuid;

-- name: ListMembersOfCampaign :many
-- The members of a campaign: the surviving identities of its survivor and of all campaigns merged into the
-- survivor, all identities merged into these, and the attackers of each.
WITH survivor AS (
    SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                         sqlc.arg(campaign_uuid)) AS BINARY(16)) AS uuid
), campaign AS (
    SELECT uuid FROM survivor
    UNION ALL
    SELECT c.uuid FROM survivor STRAIGHT_JOIN ttp_campaign c ON c.survivor_uuid = survivor.uuid AND c.uuid <> survivor.uuid
)
SELECT m.survivor_uuid, m.uuid AS identity_uuid, a.uuid AS attacker_uuid
FROM campaign
STRAIGHT_JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
STRAIGHT_JOIN ttp_identity m ON m.survivor_uuid = s.uuid
LEFT JOIN ttp_attacker a ON a.identity_uuid = m.uuid;

-- name: ListIdentitiesBySurvivors :many
-- The survivors that are stored and all identities merged into them.
SELECT uuid, campaign_uuid, merged_into_uuid, survivor_uuid FROM ttp_identity WHERE survivor_uuid IN (sqlc.slice(uuids));

-- name: ListAttackersByIdentities :many
-- The attackers of these identities.
SELECT uuid, ip, identity_uuid FROM ttp_attacker WHERE identity_uuid IN (sqlc.slice(uuids));
