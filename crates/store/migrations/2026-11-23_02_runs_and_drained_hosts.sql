CREATE TABLE runs (
    n       INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    title   TEXT NOT NULL,
    seconds REAL NOT NULL,
    ratios  TEXT NOT NULL
);
CREATE INDEX runs_by_kind ON runs (kind, n);
CREATE INDEX keys_by_operation ON keys (id);
CREATE TABLE drained (host TEXT PRIMARY KEY) WITHOUT ROWID;
