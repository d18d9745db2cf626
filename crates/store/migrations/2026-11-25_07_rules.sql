-- Baseline of an operation's rule. `doc` is the envelope without its band, which is packed: rows of x, p10, p50,
-- p90 and the number of runs. The first `skip` points of `attempt` existed before the rule.
CREATE TABLE IF NOT EXISTS rules (
    n       INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL,
    skip    INTEGER NOT NULL,
    doc     TEXT NOT NULL,
    packed  BLOB
);
-- For past runs with a title.
CREATE INDEX IF NOT EXISTS operations_by_title ON operations (kind, title, id) WHERE state = 'succeeded';
