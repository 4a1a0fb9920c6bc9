-- name: AddTechniqueCount :execrows
-- Adds a group to a slot of a technique count. A negative number of tags marks it stale. The last parameter is 1 to add
-- always, or 0 to add only if no tombstone is stored. The Go code binds it directly, on MySQL with many rows in one
-- statement: it repeats the inner SELECT. The assignment of tags comes last, since MySQL assigns from left to right.
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale)
SELECT added.technique_key, added.slot, added.tags, added.first_seen, added.last_seen, added.confidence_max, added.stale
FROM (
    SELECT CAST(? AS SIGNED) AS technique_key, CAST(? AS SIGNED) AS slot, CAST(? AS SIGNED) AS tags, CAST(? AS SIGNED) AS first_seen,
           CAST(? AS SIGNED) AS last_seen, CAST(? AS DOUBLE) AS confidence_max, CAST(? AS SIGNED) AS stale
) AS added
WHERE CAST(? AS SIGNED) = 1 OR NOT EXISTS (SELECT 1 FROM ttp_tombstone)
ON DUPLICATE KEY UPDATE
    first_seen = CASE WHEN VALUES(tags) > 0 AND VALUES(first_seen) < ttp_technique_count.first_seen
        THEN VALUES(first_seen) ELSE ttp_technique_count.first_seen END,
    last_seen = CASE WHEN VALUES(tags) > 0 AND VALUES(last_seen) > ttp_technique_count.last_seen
        THEN VALUES(last_seen) ELSE ttp_technique_count.last_seen END,
    confidence_max = CASE WHEN VALUES(tags) > 0 AND VALUES(confidence_max) > ttp_technique_count.confidence_max
        THEN VALUES(confidence_max) ELSE ttp_technique_count.confidence_max END,
    stale = CASE WHEN VALUES(stale) = 1 THEN 1 ELSE ttp_technique_count.stale END,
    tags = ttp_technique_count.tags + VALUES(tags);

-- name: ListTechniqueCounts :many
-- The fleet's groups: from the counts, or from the tags where a count is stale.
SELECT c.technique_key, CAST(SUM(c.tags) AS SIGNED) AS tags,
       CAST(MIN(c.first_seen) AS SIGNED) AS first_seen, CAST(MAX(c.last_seen) AS SIGNED) AS last_seen,
       CAST(MAX(c.confidence_max) AS DOUBLE) AS confidence_max
FROM ttp_technique_count c
GROUP BY c.technique_key
HAVING MAX(c.stale) = 0 AND SUM(c.tags) > 0
UNION ALL
SELECT t.technique_key, COUNT(*) AS tags,
       CAST(MIN(t.observed_at) AS SIGNED) AS first_seen, CAST(MAX(t.observed_at) AS SIGNED) AS last_seen,
       CAST(MAX(t.confidence) AS DOUBLE) AS confidence_max
FROM (SELECT technique_key FROM ttp_technique_count WHERE stale = 1 GROUP BY technique_key) c
STRAIGHT_JOIN ttp_tag t FORCE INDEX (ttp_tag_technique) ON t.technique_key = c.technique_key
GROUP BY t.technique_key;

-- name: ListCountedTechniques :many
-- The stored counts by technique_key.
SELECT technique_key, CAST(SUM(tags) AS SIGNED) AS tags,
       CAST(MIN(first_seen) AS SIGNED) AS first_seen, CAST(MAX(last_seen) AS SIGNED) AS last_seen,
       CAST(MAX(confidence_max) AS DOUBLE) AS confidence_max, CAST(MAX(stale) AS SIGNED) AS stale
FROM ttp_technique_count
GROUP BY technique_key;

-- name: MarkTechniqueStale :exec
-- Also locks the slot, creating it if necessary. The Go code binds it directly, like AddTechniqueCount.
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale)
VALUES (?, ?, 0, 9223372036854775807, -9223372036854775807, 0, 1)
ON DUPLICATE KEY UPDATE stale = 1;

-- name: EmptyTechniqueCounts :exec
UPDATE ttp_technique_count
SET tags = 0, first_seen = 9223372036854775807, last_seen = -9223372036854775807, confidence_max = 0, stale = 0
WHERE technique_key = sqlc.arg(technique_key);

-- name: SetTechniqueCount :exec
-- Stores the whole count in slot 0. EmptyTechniqueCounts must precede it.
UPDATE ttp_technique_count
SET tags = sqlc.arg(tags), first_seen = sqlc.arg(first_seen), last_seen = sqlc.arg(last_seen),
    confidence_max = sqlc.arg(confidence_max)
WHERE technique_key = sqlc.arg(technique_key) AND slot = 0;
