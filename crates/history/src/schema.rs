//! Tables of the history.

/// Version of the tables, in `user_version`.
pub(crate) const VERSION: i64 = 1;

/// Creates the tables.
pub(crate) const CREATE: &str = "
CREATE TABLE IF NOT EXISTS metrics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- Values of a source in a tier; `start` is in seconds since 1970.
CREATE TABLE IF NOT EXISTS blocks (
    source INTEGER NOT NULL, tier INTEGER NOT NULL, start INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (source, tier, start)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blocks_by_age ON blocks (tier, start);
CREATE TABLE IF NOT EXISTS tallies (
    source INTEGER NOT NULL, tier INTEGER NOT NULL, start INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (source, tier, start)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tallies_by_age ON tallies (tier, start);
-- Second of tick 0 of a process of a source, so that its ticks keep their seconds.
CREATE TABLE IF NOT EXISTS anchors (source TEXT PRIMARY KEY, instance TEXT NOT NULL, base INTEGER NOT NULL) WITHOUT ROWID;
-- On which machine a host has been since when.
CREATE TABLE IF NOT EXISTS machines (
    host TEXT NOT NULL, since INTEGER NOT NULL, machine TEXT NOT NULL, PRIMARY KEY (host, since)
) WITHOUT ROWID;
";
