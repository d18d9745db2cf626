-- Filled by the program: hashes, and the columns that filters search.
ALTER TABLE audit ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN action TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN name TEXT;
ALTER TABLE audit ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN hash BLOB NOT NULL DEFAULT x'';
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_action ON audit (action, n);
CREATE INDEX audit_by_name ON audit (name, n) WHERE name IS NOT NULL;
CREATE INDEX audit_refused ON audit (n) WHERE refused;
-- The newest entry that retention deleted: the chain begins after it.
CREATE TABLE audit_cut (n INTEGER NOT NULL, hash BLOB NOT NULL);
