-- name: ListTags :many
-- A page of the fleet's tags, newest first. The facade keeps "before" just behind the cursor.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid
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
  AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
ORDER BY t.observed_at DESC, t.uuid DESC
LIMIT sqlc.arg(limit);

-- name: ListTagsByAttacker :many
-- A page of an attacker's tags, newest first.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid
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
  AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
ORDER BY t.observed_at DESC, t.uuid DESC
LIMIT sqlc.arg(limit);

-- name: ListTagsBySession :many
-- A page of a session's tags, newest first.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid
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
  AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
ORDER BY t.observed_at DESC, t.uuid DESC
LIMIT sqlc.arg(limit);

-- name: ListTagsBySessionInOrder :many
-- A page of a session's tags, oldest first. The facade keeps "since" at the cursor.
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid
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
  AND (t.observed_at > sqlc.arg(cursor_observed_at) OR t.uuid > sqlc.arg(cursor_uuid))
ORDER BY t.observed_at ASC, t.uuid ASC
LIMIT sqlc.arg(limit);

-- name: ListTagsByIdentities :many
-- A page of the tags of an identity or campaign, newest first. The page starts no earlier than where one
-- of the identities alone, or one of their attackers alone, has as many tags: so it reads at most a page
-- of each.
-- Differs from MySQL, which would search an identity's latest tags among the fleet's.
WITH asked_campaign AS (
    SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                         sqlc.arg(campaign_uuid)) AS BLOB) AS uuid
), campaign AS (
    SELECT uuid FROM asked_campaign
    UNION ALL
    SELECT c.uuid FROM asked_campaign
    CROSS JOIN ttp_campaign c ON c.survivor_uuid = asked_campaign.uuid AND c.uuid <> asked_campaign.uuid
), asked_identity AS (
    SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                         sqlc.arg(identity_uuid)) AS BLOB) AS uuid
), member AS (
    SELECT uuid FROM asked_identity
    UNION ALL
    SELECT i.uuid FROM asked_identity
    CROSS JOIN ttp_identity i ON i.survivor_uuid = asked_identity.uuid AND i.uuid <> asked_identity.uuid
    UNION ALL
    SELECT m.uuid
    FROM campaign
    CROSS JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
    CROSS JOIN ttp_identity m ON m.survivor_uuid = s.uuid
), start AS (
    SELECT (SELECT t.observed_at FROM ttp_tag t
            WHERE t.identity_uuid = member.uuid
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
              AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
            ORDER BY t.observed_at DESC
            LIMIT 1 OFFSET sqlc.arg(offset)) AS observed_at
    FROM member
    UNION ALL
    SELECT (SELECT t.observed_at FROM ttp_tag t
            WHERE t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
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
              AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
            ORDER BY t.observed_at DESC
            LIMIT 1 OFFSET sqlc.arg(offset)) AS observed_at
    FROM member
    CROSS JOIN ttp_attacker a ON a.identity_uuid = member.uuid
), scoped AS (
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM member
    CROSS JOIN ttp_tag t ON t.identity_uuid = member.uuid
    UNION ALL
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM member
    CROSS JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    CROSS JOIN ttp_tag t ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
), page AS (
    SELECT t.uuid
    FROM scoped t
    WHERE t.observed_at >= (SELECT COALESCE(MAX(start.observed_at), sqlc.arg(since)) AS observed_at FROM start) AND t.observed_at < sqlc.arg(before)
      AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
          t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
          AND t.confidence >= sqlc.arg(min_confidence)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
          AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
          AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
              SELECT 1 FROM ttp_tag d
              WHERE d.uuid = t.uuid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
                AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
                AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
                AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
      AND (t.observed_at < sqlc.arg(cursor_observed_at) OR t.uuid < sqlc.arg(cursor_uuid))
    ORDER BY t.observed_at DESC, t.uuid DESC
    LIMIT sqlc.arg(limit)
)
SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid, t.identity_uuid, t.session_id, t.decky_id,
       t.tactic, t.technique_id, t.sub_technique_id, t.confidence, t.rule_id, t.rule_version,
       t.evidence, t.attack_release, t.observed_at, t.ingested_at, t.batch_uuid
FROM page
CROSS JOIN ttp_tag t ON t.uuid = page.uuid
ORDER BY t.observed_at DESC, t.uuid DESC;

-- name: ListPhases :many
-- When each decky saw an identity pursue each tactic.
WITH asked_campaign AS (
    SELECT CAST(COALESCE((SELECT c.survivor_uuid FROM ttp_campaign c WHERE c.uuid = sqlc.arg(campaign_uuid)),
                         sqlc.arg(campaign_uuid)) AS BLOB) AS uuid
), campaign AS (
    SELECT uuid FROM asked_campaign
    UNION ALL
    SELECT c.uuid FROM asked_campaign
    CROSS JOIN ttp_campaign c ON c.survivor_uuid = asked_campaign.uuid AND c.uuid <> asked_campaign.uuid
), asked_identity AS (
    SELECT CAST(COALESCE((SELECT i.survivor_uuid FROM ttp_identity i WHERE i.uuid = sqlc.arg(identity_uuid)),
                         sqlc.arg(identity_uuid)) AS BLOB) AS uuid
), member AS (
    SELECT uuid FROM asked_identity
    UNION ALL
    SELECT i.uuid FROM asked_identity
    CROSS JOIN ttp_identity i ON i.survivor_uuid = asked_identity.uuid AND i.uuid <> asked_identity.uuid
    UNION ALL
    SELECT m.uuid
    FROM campaign
    CROSS JOIN ttp_identity s ON s.campaign_uuid = campaign.uuid AND s.merged_into_uuid IS NULL
    CROSS JOIN ttp_identity m ON m.survivor_uuid = s.uuid
), scoped AS (
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM member
    CROSS JOIN ttp_tag t ON t.identity_uuid = member.uuid
    UNION ALL
    SELECT t.uuid, t.technique_key, t.observed_at, t.confidence
    FROM member
    CROSS JOIN ttp_attacker a ON a.identity_uuid = member.uuid
    CROSS JOIN ttp_tag t ON t.attacker_uuid = a.uuid AND t.identity_uuid IS NULL
)
SELECT DISTINCT r.decky_id, r.tactic, r.observed_at
FROM scoped t
CROSS JOIN ttp_tag r ON r.uuid = t.uuid
WHERE r.decky_id IS NOT NULL
  AND t.observed_at >= sqlc.arg(since) AND t.observed_at < sqlc.arg(before)
  AND (CAST(sqlc.arg(any_tag) AS INTEGER) = 1 OR (
      t.technique_key >= sqlc.arg(first_key) AND t.technique_key <= sqlc.arg(last_key)
      AND t.confidence >= sqlc.arg(min_confidence)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) >= CAST(sqlc.arg(first_digits) AS INTEGER)
      AND t.technique_key % CAST(sqlc.arg(modulus) AS INTEGER) <= CAST(sqlc.arg(last_digits) AS INTEGER)
      AND (CAST(sqlc.arg(any_row) AS INTEGER) = 1 OR EXISTS (
          SELECT 1 FROM ttp_tag d
          WHERE d.uuid = t.uuid AND d.rule_id = COALESCE(sqlc.narg(rule_id), d.rule_id)
            AND d.rule_version = COALESCE(sqlc.narg(rule_version), d.rule_version)
            AND d.source_kind = COALESCE(sqlc.narg(source_kind), d.source_kind)
            AND COALESCE(d.decky_id, '') = COALESCE(sqlc.narg(decky_id), d.decky_id, '')))))
ORDER BY r.observed_at, r.decky_id, r.tactic;
