CREATE TABLE audit (
    n         INTEGER PRIMARY KEY,
    operation BLOB,
    doc       TEXT NOT NULL
);
CREATE INDEX audit_by_operation ON audit (operation, n);
CREATE TABLE configuration (line TEXT NOT NULL);
