-- name: ListTechniquesByIdentity :many
-- The tags of an identity and of all merged into it, or of its survivor's: their own, and those of
-- their attackers that name no identity. A group that has both kinds comes twice, for Go to add up.
-- CROSS JOIN keeps the written order: from the few members to their tags, never the other way.
-- Differs from MySQL, which says STRAIGHT_JOIN.
WITH asked_identity AS (
    SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                         sqlc.arg(identity_uuid)) AS BLOB) AS uuid
), member AS (
    SELECT uuid FROM asked_identity
    UNION ALL
    SELECT i.uuid FROM asked_identity
    CROSS JOIN ttp_identity i ON i.survivor_uuid = asked_identity.uuid AND i.uuid <> asked_identity.uuid
), part AS (
    SELECT t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
           CAST(MAX(t.confidence) AS REAL) AS confidence_max
    FROM member
    CROSS JOIN ttp_tag t ON t.identity_uuid = member.uuid
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
          t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
          AND t.confidence >= sqlc.arg(min_confidence)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
          AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
              SELECT 1 FROM ttp_tag d
              WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
                AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
                AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
                AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
    GROUP BY t.technique_key
    UNION ALL
    SELECT t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
           CAST(MAX(t.confidence) AS REAL) AS confidence_max
    FROM member
    CROSS JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    CROSS JOIN ttp_tag t ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
          t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
          AND t.confidence >= sqlc.arg(min_confidence)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
          AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
              SELECT 1 FROM ttp_tag d
              WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
                AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
                AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
                AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
    GROUP BY t.technique_key
)
SELECT technique_key, tags, first_seen, last_seen, confidence_max
FROM part;

-- name: ListTechniquesByAttacker :many
-- The tags that name the attacker. What was seen only across attackers belongs to their identity.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t
WHERE t.attacker_uuid = sqlc.arg(attacker_uuid)
  AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
      t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.confidence >= sqlc.arg(min_confidence)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
      AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY t.technique_key;

-- name: ListTechniquesByCampaign :many
-- The union of the campaign's identities, as ListTechniquesByIdentity sees each of them, and in rows of
-- no tags how many of them show each technique, the merged ones counted as their survivor.
WITH asked_campaign AS (
    SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                         sqlc.arg(campaign_uuid)) AS BLOB) AS uuid
), campaign AS (
    SELECT uuid FROM asked_campaign
    UNION ALL
    SELECT c.uuid FROM asked_campaign
    CROSS JOIN ttp_campaign c ON c.survivor_uuid = asked_campaign.uuid AND c.uuid <> asked_campaign.uuid
), member AS (
    SELECT m.uuid, m.survivor_uuid
    FROM campaign
    CROSS JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
    CROSS JOIN ttp_identity m ON m.survivor_uuid = s.uuid
), part AS (
    SELECT member.survivor_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
           CAST(MAX(t.confidence) AS REAL) AS confidence_max
    FROM member
    CROSS JOIN ttp_tag t ON t.identity_uuid = member.uuid
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
          t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
          AND t.confidence >= sqlc.arg(min_confidence)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
          AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
              SELECT 1 FROM ttp_tag d
              WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
                AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
                AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
                AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
    GROUP BY t.technique_key, member.survivor_uuid
    UNION ALL
    SELECT member.survivor_uuid AS uuid, t.technique_key, COUNT(*) AS tags,
           CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
           CAST(MAX(t.confidence) AS REAL) AS confidence_max
    FROM member
    CROSS JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    CROSS JOIN ttp_tag t ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
    WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
      AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
          t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
          AND t.confidence >= sqlc.arg(min_confidence)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
          AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
              SELECT 1 FROM ttp_tag d
              WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
                AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
                AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
                AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
    GROUP BY t.technique_key, member.survivor_uuid
), shown AS (
    SELECT technique_key / 10000000000 AS technique, COUNT(DISTINCT uuid) AS identities
    FROM part
    GROUP BY technique
), total AS (
    SELECT technique_key, CAST(SUM(tags) AS INTEGER) AS tags,
           CAST(MIN(first_seen) AS INTEGER) AS first_seen, CAST(MAX(last_seen) AS INTEGER) AS last_seen,
           CAST(MAX(confidence_max) AS REAL) AS confidence_max, CAST(0 AS INTEGER) AS identities
    FROM part
    GROUP BY technique_key
    UNION ALL
    SELECT technique * 10000000000 AS technique_key, 0 AS tags, 0 AS first_seen, 0 AS last_seen,
           0 AS confidence_max, identities
    FROM shown
)
SELECT technique_key, tags, first_seen, last_seen, confidence_max, identities
FROM total;

-- name: ListTechniquesBySession :many
-- The tags of one login session.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t
WHERE t.session_id = sqlc.arg(session_id)
  AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
      t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.confidence >= sqlc.arg(min_confidence)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
      AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY t.technique_key;

-- name: ListDistinctTechniques :many
-- The whole fleet, in the order of its groups.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t INDEXED BY ttp_tag_technique
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key) -- for the index
  AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
      t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.confidence >= sqlc.arg(min_confidence)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
      AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY t.technique_key;

-- name: ListDistinctTechniquesByTime :many
-- The whole fleet, for windows that hold a small part of it.
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS INTEGER) AS first_seen, CAST(MAX(t.observed_at) AS INTEGER) AS last_seen,
       CAST(MAX(t.confidence) AS REAL) AS confidence_max
FROM ttp_tag t INDEXED BY ttp_tag_observed
WHERE t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
      t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.confidence >= sqlc.arg(min_confidence)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
      AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.rowid = t.rowid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
GROUP BY t.technique_key;
