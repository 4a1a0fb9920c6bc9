DROP TABLE IF EXISTS ttp_merge_lock;
