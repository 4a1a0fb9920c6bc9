DROP TABLE IF EXISTS ttp_tombstone;
