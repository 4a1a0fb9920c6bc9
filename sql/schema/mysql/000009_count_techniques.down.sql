DELETE FROM ttp_technique_count;
