-- name: ListDistinctTechniques :many
-- The fleet's groups from the index by technique.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag t FORCE INDEX (ttp_tag_technique)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.technique_key;

-- name: ListDistinctTechniquesByTime :many
-- The fleet's groups from the index by time, for windows with a small part of the tags.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag t FORCE INDEX (ttp_tag_observed)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
GROUP BY t.technique_key;

-- name: ListTechniquesByMembers :many
-- The groups of a scope's members: tags of the attackers without an identity, and tags of the identities.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IS NULL
  AND t.attacker_uuid IN (sqlc.slice(attackers))
GROUP BY t.technique_key
UNION ALL
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag t FORCE INDEX (ttp_tag_identity)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IN (sqlc.slice(identities))
GROUP BY t.technique_key;

-- name: ListTechniquesByEachMember :many
-- ListTechniquesByMembers, grouped by member.
SELECT t.attacker_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND (CAST(sqlc.arg(any_identity) AS SIGNED) = 1 OR t.identity_uuid IS NULL)
  AND t.attacker_uuid IN (sqlc.slice(attackers))
GROUP BY t.technique_key, t.attacker_uuid
UNION ALL
SELECT t.identity_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag t FORCE INDEX (ttp_tag_identity)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.identity_uuid IN (sqlc.slice(identities))
GROUP BY t.technique_key, t.identity_uuid;

-- name: ListTechniquesByIdentity :many
-- ListTechniquesByMembers for an identity, which it resolves as ListMembersOfIdentity does. Not for shards. The UNION is
-- in a CTE, since sqlc does not find the names of a WITH in a UNION.
WITH survivor AS (
    SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                         sqlc.arg(identity_uuid)) AS BINARY(16)) AS uuid
), member AS (
    SELECT uuid FROM survivor
    UNION ALL
    SELECT i.uuid FROM survivor STRAIGHT_JOIN ttp_identity i ON i.survivor_uuid = survivor.uuid AND i.uuid <> survivor.uuid
), part AS (
    SELECT t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
           CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
    FROM member STRAIGHT_JOIN ttp_attacker a ON a.identity_uuid = member.uuid
      STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_attacker) ON t.attacker_uuid = a.uuid
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
          AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
          AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
          AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
      AND t.identity_uuid IS NULL
    GROUP BY t.technique_key
    UNION ALL
    SELECT t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
           CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
    FROM member STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_identity) ON t.identity_uuid = member.uuid
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
          AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
          AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
          AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
    GROUP BY t.technique_key
)
SELECT technique_key, tags, first_seen, last_seen, confidence_max FROM part;

-- name: ListTechniquesByCampaign :many
-- The groups of a campaign's surviving identities. It resolves the campaign as ListMembersOfCampaign does. Not for shards.
WITH survivor AS (
    SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                         sqlc.arg(campaign_uuid)) AS BINARY(16)) AS uuid
), campaign AS (
    SELECT uuid FROM survivor
    UNION ALL
    SELECT c.uuid FROM survivor STRAIGHT_JOIN ttp_campaign c ON c.survivor_uuid = survivor.uuid AND c.uuid <> survivor.uuid
), member AS (
    SELECT m.uuid, m.survivor_uuid
    FROM campaign STRAIGHT_JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
      STRAIGHT_JOIN ttp_identity m ON m.survivor_uuid = s.uuid
), part AS (
    SELECT member.survivor_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
           CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
    FROM member STRAIGHT_JOIN ttp_attacker a ON a.identity_uuid = member.uuid
      STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_attacker) ON t.attacker_uuid = a.uuid
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
          AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
          AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
          AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
      AND t.identity_uuid IS NULL
    GROUP BY t.technique_key, member.survivor_uuid
    UNION ALL
    SELECT member.survivor_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
           CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
    FROM member STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_identity) ON t.identity_uuid = member.uuid
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
      AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
          AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
          AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
          AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
    GROUP BY t.technique_key, member.survivor_uuid
)
SELECT uuid, technique_key, tags, first_seen, last_seen, confidence_max FROM part;

-- name: ListTechniquesByAttacker :many
-- All tags of an attacker, also those with an identity.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag t FORCE INDEX (ttp_tag_attacker)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.attacker_uuid = sqlc.arg(attacker_uuid)
GROUP BY t.technique_key;

-- name: ListTechniquesBySession :many
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM ttp_tag t FORCE INDEX (ttp_tag_session)
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.confidence >= sqlc.arg(min_confidence) AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
  AND t.technique_key % CAST(sqlc.arg(modulus) AS SIGNED) DIV CAST(sqlc.arg(unit) AS SIGNED) = CAST(sqlc.arg(digits) AS SIGNED)
  AND (CAST(sqlc.arg(any_row) AS SIGNED) = 1 OR EXISTS (SELECT 1 FROM ttp_tag d WHERE d.uuid = t.uuid
      AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id) AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
      AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
      AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))
  AND t.session_id = sqlc.arg(session_id)
GROUP BY t.technique_key;
