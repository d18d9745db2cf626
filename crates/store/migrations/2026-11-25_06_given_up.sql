-- Deleted operations with an attempt that was given up while its host was unreachable, and that may still run.
CREATE TABLE forgotten (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
