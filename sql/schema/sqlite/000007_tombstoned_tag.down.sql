DROP TABLE IF EXISTS ttp_tombstoned_tag;
