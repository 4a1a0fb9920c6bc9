DROP TABLE IF EXISTS ttp_technique_count;
