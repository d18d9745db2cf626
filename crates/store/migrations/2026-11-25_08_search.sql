-- All searchable text of an operation, in lower case.
ALTER TABLE operations ADD COLUMN about TEXT NOT NULL DEFAULT '';
CREATE INDEX operations_to_find ON operations (id, state, kind, host, parent, about);
-- Values of parameters in comparable form.
CREATE TABLE params (
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    id    BLOB NOT NULL,
    PRIMARY KEY (name, value, id)
) WITHOUT ROWID;
