DROP TABLE IF EXISTS ttp_attacker;
