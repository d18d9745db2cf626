CREATE TABLE users (
    name     TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    doc      TEXT NOT NULL
);
CREATE TABLE sessions (
    id   TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    user TEXT NOT NULL,
    doc  TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user);
