-- name: AddTechniqueCount :exec
-- Adds tags to a group, or takes them away where their number is negative. What goes may have had the
-- first or last time or the highest confidence: then the group is stale.
-- The facade binds it by itself, here row by row, on MySQL with many rows in one statement; tags comes
-- last, since MySQL assigns from left to right.
INSERT INTO ttp_technique_count (technique_key, tags, first_seen, last_seen, confidence_max, stale)
VALUES (?, ?, ?, ?, ?, 0)
ON DUPLICATE KEY UPDATE
    stale = CASE
        WHEN ttp_technique_count.tags = 0 THEN 0
        WHEN VALUES(tags) < 0 AND (VALUES(first_seen) <= ttp_technique_count.first_seen
            OR VALUES(last_seen) >= ttp_technique_count.last_seen
            OR VALUES(confidence_max) >= ttp_technique_count.confidence_max) THEN 1
        ELSE ttp_technique_count.stale END,
    first_seen = CASE
        WHEN ttp_technique_count.tags = 0 OR (VALUES(tags) > 0 AND VALUES(first_seen) < ttp_technique_count.first_seen)
        THEN VALUES(first_seen) ELSE ttp_technique_count.first_seen END,
    last_seen = CASE
        WHEN ttp_technique_count.tags = 0 OR (VALUES(tags) > 0 AND VALUES(last_seen) > ttp_technique_count.last_seen)
        THEN VALUES(last_seen) ELSE ttp_technique_count.last_seen END,
    confidence_max = CASE
        WHEN ttp_technique_count.tags = 0 OR (VALUES(tags) > 0 AND VALUES(confidence_max) > ttp_technique_count.confidence_max)
        THEN VALUES(confidence_max) ELSE ttp_technique_count.confidence_max END,
    tags = ttp_technique_count.tags + VALUES(tags);

-- name: ListTechniqueCounts :many
-- The fleet's groups: as counted, or, while that is stale, from the tags.
SELECT c.technique_key, c.tags, c.first_seen, c.last_seen, c.confidence_max
FROM ttp_technique_count c
WHERE c.stale = 0 AND c.tags > 0
UNION ALL
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM ttp_technique_count c
STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_technique) ON t.technique_key = c.technique_key
WHERE c.stale = 1
GROUP BY t.technique_key;

-- name: ListCountedTechniques :many
-- The groups as they are counted.
SELECT technique_key, tags, first_seen, last_seen, confidence_max, stale FROM ttp_technique_count ORDER BY technique_key;

-- name: ListStaleTechniques :many
SELECT technique_key FROM ttp_technique_count WHERE stale = 1 ORDER BY technique_key;

-- name: MarkTechniqueStale :exec
-- Also locks the group's row, which it makes where there is none.
INSERT INTO ttp_technique_count (technique_key, tags, first_seen, last_seen, confidence_max, stale)
VALUES (sqlc.arg(technique_key), 0, 0, 0, 0, 1)
ON DUPLICATE KEY UPDATE stale = 1;

-- name: CountTechnique :one
SELECT COUNT(*) AS tags,
       CAST(COALESCE(MIN(t.observed_at), 0) AS SIGNED) AS first_seen, CAST(COALESCE(MAX(t.observed_at), 0) AS SIGNED) AS last_seen,
       CAST(COALESCE(MAX(t.confidence), 0) AS DOUBLE) AS confidence_max
FROM ttp_tag t FORCE INDEX (ttp_tag_technique)
WHERE t.technique_key = sqlc.arg(technique_key);

-- name: SetTechniqueCount :exec
UPDATE ttp_technique_count
SET tags = sqlc.arg(tags), first_seen = sqlc.arg(first_seen), last_seen = sqlc.arg(last_seen),
    confidence_max = sqlc.arg(confidence_max), stale = 0
WHERE technique_key = sqlc.arg(technique_key);
