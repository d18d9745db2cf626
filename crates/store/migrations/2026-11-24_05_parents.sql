ALTER TABLE operations ADD COLUMN parent BLOB;
CREATE INDEX operations_by_parent ON operations (parent, id) WHERE parent IS NOT NULL;
