-- `n` is the short ID of an operation for the tables below; `doc` is the operation without its progress.
CREATE TABLE operations (
    n        INTEGER PRIMARY KEY,
    id       BLOB NOT NULL UNIQUE,
    kind     TEXT NOT NULL,
    state    TEXT NOT NULL,
    host     TEXT,
    title    TEXT NOT NULL,
    doc      TEXT NOT NULL,
    heard_at INTEGER,
    progress TEXT
);
CREATE INDEX operations_by_state ON operations (state, id);
CREATE INDEX operations_by_kind ON operations (kind, id);
CREATE INDEX operations_by_host ON operations (host, id);

CREATE TABLE attempts (
    n      INTEGER NOT NULL,
    number INTEGER NOT NULL,
    doc    TEXT NOT NULL,
    PRIMARY KEY (n, number)
) WITHOUT ROWID;

CREATE TABLE results (
    n       INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    doc     TEXT NOT NULL,
    PRIMARY KEY (n, attempt)
) WITHOUT ROWID;

-- One row per delivery of points, packed: x and y in turn, 64-bit little-endian floats.
CREATE TABLE points (
    n       INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    name    TEXT NOT NULL,
    packed  BLOB NOT NULL
);
CREATE INDEX points_by_operation ON points (n, attempt, name);

CREATE TABLE logs (
    n       INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    line    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    level   TEXT NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (n, attempt, line)
) WITHOUT ROWID;

CREATE TABLE events (
    seq       INTEGER PRIMARY KEY,
    operation BLOB,
    progress  INTEGER NOT NULL,
    json      TEXT NOT NULL
);

CREATE TABLE cursors (
    host     TEXT PRIMARY KEY,
    instance BLOB NOT NULL,
    seq      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE keys (
    key     TEXT PRIMARY KEY,
    id      BLOB NOT NULL,
    request TEXT NOT NULL,
    at      INTEGER NOT NULL
) WITHOUT ROWID;

-- Maintained by triggers, so that counting needs no scan.
CREATE TABLE counts (state TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER count_new AFTER INSERT ON operations BEGIN
    INSERT INTO counts VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER count_move AFTER UPDATE OF state ON operations WHEN OLD.state <> NEW.state BEGIN
    UPDATE counts SET n = n - 1 WHERE state = OLD.state;
    INSERT INTO counts VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER count_gone AFTER DELETE ON operations BEGIN
    UPDATE counts SET n = n - 1 WHERE state = OLD.state;
END;
