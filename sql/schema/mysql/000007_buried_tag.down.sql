DROP TABLE IF EXISTS ttp_buried_tag;
