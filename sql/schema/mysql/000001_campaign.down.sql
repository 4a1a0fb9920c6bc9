DROP TABLE IF EXISTS ttp_campaign;
