-- name: ListTechniquesByIdentity :many
-- The tags of an identity that is not merged and of those merged into it: their own, and those of
-- their attackers that name no identity. A group that has both kinds comes twice, for Go to add up.
-- STRAIGHT_JOIN keeps the written order: from the few members to their tags, never the other way.
-- FORCE INDEX keeps the optimizer, while it has no statistics, from reading all tags without identity
-- to find an attacker's.
-- Differs from SQLite, which says CROSS JOIN and takes the index with more columns bound by itself.
WITH member AS (
    SELECT CAST(sqlc.arg(identity_uuid) AS BINARY(16)) AS uuid
    UNION ALL
    SELECT i.uuid FROM ttp_identity i
    WHERE i.survivor_uuid = sqlc.arg(identity_uuid) AND i.uuid <> sqlc.arg(identity_uuid)
), part AS (
    SELECT t.technique_id, t.sub_technique_id, t.tactic, t.attack_release,
           COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
           CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
    FROM member
    STRAIGHT_JOIN ttp_tag t ON t.identity_uuid = member.uuid
    GROUP BY t.technique_id, t.sub_technique_id, t.tactic, t.attack_release
    UNION ALL
    SELECT t.technique_id, t.sub_technique_id, t.tactic, t.attack_release,
           COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
           CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
    FROM member
    STRAIGHT_JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_attacker) ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
    GROUP BY t.technique_id, t.sub_technique_id, t.tactic, t.attack_release
)
SELECT technique_id, sub_technique_id, tactic, attack_release, tags, first_seen, last_seen, confidence_max
FROM part;

-- name: ListTechniquesByAttacker :many
-- The tags that name the attacker. What was seen only across attackers belongs to their identity.
SELECT technique_id, sub_technique_id, tactic, attack_release,
       COUNT(*) AS tags,
       CAST(MIN(observed_at) AS SIGNED) AS first_seen, CAST(MAX(observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag
WHERE attacker_uuid = sqlc.arg(attacker_uuid)
GROUP BY technique_id, sub_technique_id, tactic, attack_release;

-- name: ListTechniquesByCampaign :many
-- The union of the campaign's identities, as ListTechniquesByIdentity sees each of them.
WITH campaign AS (
    SELECT CAST(sqlc.arg(campaign_uuid) AS BINARY(16)) AS uuid
    UNION ALL
    SELECT c.uuid FROM ttp_campaign c
    WHERE c.survivor_uuid = sqlc.arg(campaign_uuid) AND c.uuid <> sqlc.arg(campaign_uuid)
), member AS (
    SELECT m.uuid, m.survivor_uuid
    FROM campaign
    STRAIGHT_JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
    STRAIGHT_JOIN ttp_identity m ON m.survivor_uuid = s.uuid
), part AS (
    SELECT t.technique_id, t.sub_technique_id, t.tactic, t.attack_release,
           COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
           CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
    FROM member
    STRAIGHT_JOIN ttp_tag t ON t.identity_uuid = member.uuid
    GROUP BY t.technique_id, t.sub_technique_id, t.tactic, t.attack_release
    UNION ALL
    SELECT t.technique_id, t.sub_technique_id, t.tactic, t.attack_release,
           COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
           CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
    FROM member
    STRAIGHT_JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_attacker) ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
    GROUP BY t.technique_id, t.sub_technique_id, t.tactic, t.attack_release
)
SELECT technique_id, sub_technique_id, tactic, attack_release, tags, first_seen, last_seen, confidence_max
FROM part;

-- name: CountCampaignIdentities :many
-- How many identities of the campaign show each technique, the merged ones counted as their survivor.
WITH campaign AS (
    SELECT CAST(sqlc.arg(campaign_uuid) AS BINARY(16)) AS uuid
    UNION ALL
    SELECT c.uuid FROM ttp_campaign c
    WHERE c.survivor_uuid = sqlc.arg(campaign_uuid) AND c.uuid <> sqlc.arg(campaign_uuid)
), member AS (
    SELECT m.uuid, m.survivor_uuid
    FROM campaign
    STRAIGHT_JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
    STRAIGHT_JOIN ttp_identity m ON m.survivor_uuid = s.uuid
), seen AS (
    SELECT t.technique_id, t.sub_technique_id, member.survivor_uuid
    FROM member
    STRAIGHT_JOIN ttp_tag t ON t.identity_uuid = member.uuid
    UNION
    SELECT t.technique_id, t.sub_technique_id, member.survivor_uuid
    FROM member
    STRAIGHT_JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_attacker) ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
)
SELECT technique_id, sub_technique_id, COUNT(*) AS identities
FROM seen
GROUP BY technique_id, sub_technique_id;

-- name: ListTechniquesBySession :many
-- The tags of one login session.
SELECT technique_id, sub_technique_id, tactic, attack_release,
       COUNT(*) AS tags,
       CAST(MIN(observed_at) AS SIGNED) AS first_seen, CAST(MAX(observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag
WHERE session_id = sqlc.arg(session_id)
GROUP BY technique_id, sub_technique_id, tactic, attack_release;

-- name: ListDistinctTechniques :many
-- The whole fleet: every tag.
SELECT technique_id, sub_technique_id, tactic, attack_release,
       COUNT(*) AS tags,
       CAST(MIN(observed_at) AS SIGNED) AS first_seen, CAST(MAX(observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag
GROUP BY technique_id, sub_technique_id, tactic, attack_release;
