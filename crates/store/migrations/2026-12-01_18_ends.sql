-- When the last attempt of an ended operation ended, in microseconds; NULL while the operation is active.
ALTER TABLE operations ADD COLUMN ended_at INTEGER;
DROP INDEX operations_to_find;
CREATE INDEX operations_to_find ON operations (id, state, kind, host, parent, ended_at, about);
-- Documents have the time in RFC 3339, in UTC, with a fraction of no or up to six digits.
UPDATE operations SET ended_at = CAST(strftime('%s', doc ->> '$.ended_at') AS INTEGER) * 1000000
    + CAST(substr(rtrim(substr(doc ->> '$.ended_at', 21), 'Z') || '000000', 1, 6) AS INTEGER)
WHERE doc ->> '$.ended_at' IS NOT NULL;
