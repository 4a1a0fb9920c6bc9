-- Counts the tags that were written before ttp_technique_count existed.
INSERT INTO ttp_technique_count (technique_key, slot, tags, first_seen, last_seen, confidence_max, stale)
SELECT technique_key, 0, COUNT(*), MIN(observed_at), MAX(observed_at), MAX(confidence), 0 FROM ttp_tag
GROUP BY technique_key
ON DUPLICATE KEY UPDATE
    tags = VALUES(tags), first_seen = VALUES(first_seen), last_seen = VALUES(last_seen),
    confidence_max = VALUES(confidence_max), stale = 0;
