-- Tallies count stored operations, each by its last end: one that is retried leaves its hour, and so does one that
-- is deleted within a day of its end. Older hours show the usual activity, and stay.
DELETE FROM tallies WHERE hour > unixepoch() / 3600 - 24;
INSERT INTO tallies SELECT hour, kind, state, count(*), sum(seconds) FROM ends
    WHERE hour > unixepoch() / 3600 - 24 GROUP BY hour, kind, state;
CREATE TRIGGER tally_again AFTER UPDATE OF state ON operations
    WHEN OLD.state IN ('succeeded', 'failed', 'cancelled') AND OLD.state <> NEW.state
BEGIN
    UPDATE tallies SET n = n - 1, seconds = max(0.0, seconds - max(0.0, coalesce(
            (julianday(OLD.doc ->> 'ended_at') - julianday(OLD.doc ->> 'started_at')) * 86400.0, 0.0)))
        WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state;
    DELETE FROM tallies
        WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state AND n <= 0;
END;
CREATE TRIGGER tally_gone AFTER DELETE ON operations
    WHEN OLD.state IN ('succeeded', 'failed', 'cancelled')
        AND unixepoch(OLD.doc ->> 'ended_at') / 3600 > unixepoch() / 3600 - 24
BEGIN
    UPDATE tallies SET n = n - 1, seconds = max(0.0, seconds - max(0.0, coalesce(
            (julianday(OLD.doc ->> 'ended_at') - julianday(OLD.doc ->> 'started_at')) * 86400.0, 0.0)))
        WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state;
    DELETE FROM tallies
        WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state AND n <= 0;
END;
