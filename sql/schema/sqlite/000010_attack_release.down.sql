DROP TABLE IF EXISTS ttp_attack_release;
