CREATE TABLE access_tokens (
    id   TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    doc  TEXT NOT NULL
);
