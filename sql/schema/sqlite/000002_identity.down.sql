DROP TABLE IF EXISTS ttp_identity;
