-- Keys of deleted operations, in the order of deletion.
CREATE TABLE spent (n INTEGER PRIMARY KEY, key TEXT NOT NULL);
