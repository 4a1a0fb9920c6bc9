-- ATT&CK releases that a user loaded, in the compact form of attack.Catalogue.
CREATE TABLE IF NOT EXISTS ttp_attack_release (
    name    VARCHAR(32) NOT NULL PRIMARY KEY, -- such as enterprise-v18.1
    content MEDIUMBLOB NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
