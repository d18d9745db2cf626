-- Rules of alerts that users made, and changes of built-in ones. A revision is never used twice.
CREATE TABLE alert_rules (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE,
    doc      TEXT NOT NULL
);
