-- Counts the tags that were written before ttp_technique_count existed.
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale)
SELECT technique_key, 0, COUNT(*), MIN(observed_at), MAX(observed_at), MAX(confidence), 0 FROM ttp_tag
WHERE true -- otherwise the parser reads ON CONFLICT as a join condition
GROUP BY technique_key
ON CONFLICT (technique_key, slot) DO UPDATE SET
    tags = excluded.tags, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
    confidence_max = excluded.confidence_max, stale = 0;
