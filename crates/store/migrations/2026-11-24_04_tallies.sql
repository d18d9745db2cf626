-- Number of ended operations per hour since 1970, maintained by triggers. An operation that ended without having
-- begun took no time.
CREATE TABLE tallies (
    hour    INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    state   TEXT NOT NULL,
    n       INTEGER NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (hour, kind, state)
) WITHOUT ROWID;
CREATE VIEW ends AS SELECT n, kind, state,
    coalesce(unixepoch(doc ->> 'ended_at'), unixepoch()) / 3600 AS hour,
    max(0.0, coalesce((julianday(doc ->> 'ended_at') - julianday(doc ->> 'started_at')) * 86400.0, 0.0)) AS seconds
    FROM operations WHERE state IN ('succeeded', 'failed', 'cancelled');
INSERT INTO tallies SELECT hour, kind, state, count(*), sum(seconds) FROM ends GROUP BY hour, kind, state;
CREATE TRIGGER tally_new AFTER INSERT ON operations BEGIN
    INSERT INTO tallies SELECT hour, kind, state, 1, seconds FROM ends WHERE n = NEW.n
        ON CONFLICT (hour, kind, state) DO UPDATE SET n = n + 1, seconds = seconds + excluded.seconds;
END;
CREATE TRIGGER tally_end AFTER UPDATE OF state ON operations WHEN OLD.state <> NEW.state BEGIN
    INSERT INTO tallies SELECT hour, kind, state, 1, seconds FROM ends WHERE n = NEW.n
        ON CONFLICT (hour, kind, state) DO UPDATE SET n = n + 1, seconds = seconds + excluded.seconds;
END;
