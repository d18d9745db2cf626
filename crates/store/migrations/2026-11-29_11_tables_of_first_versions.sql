-- Some of the first commits had the same version numbers with fewer tables.
CREATE TABLE IF NOT EXISTS drained (host TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forgotten (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
