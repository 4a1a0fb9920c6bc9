-- ATT&CK releases that a user loaded, in the compact form of attack.Catalogue.
CREATE TABLE IF NOT EXISTS ttp_attack_release (
    name    TEXT NOT NULL PRIMARY KEY, -- such as enterprise-v18.1
    content BLOB NOT NULL
) STRICT;
