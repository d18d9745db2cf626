-- The same triggers without `IN (…)`: SQLite makes a temporary table of a list of three or more values, each time.
DROP TRIGGER tally_new;
DROP TRIGGER tally_end;
DROP TRIGGER tally_again;
DROP TRIGGER tally_gone;
DROP VIEW ends;

CREATE TRIGGER tally_new AFTER INSERT ON operations
    WHEN NEW.state = 'succeeded' OR NEW.state = 'failed' OR NEW.state = 'cancelled'
BEGIN
    INSERT INTO tallies VALUES (
        coalesce(unixepoch(NEW.doc ->> 'ended_at'), unixepoch()) / 3600, NEW.kind, NEW.state, 1,
        max(0.0, coalesce((julianday(NEW.doc ->> 'ended_at') - julianday(NEW.doc ->> 'started_at')) * 86400.0, 0.0)))
    ON CONFLICT (hour, kind, state) DO UPDATE SET n = n + 1, seconds = seconds + excluded.seconds;
END;

CREATE TRIGGER tally_end AFTER UPDATE OF state ON operations
    WHEN OLD.state <> NEW.state
        AND (NEW.state = 'succeeded' OR NEW.state = 'failed' OR NEW.state = 'cancelled')
BEGIN
    INSERT INTO tallies VALUES (
        coalesce(unixepoch(NEW.doc ->> 'ended_at'), unixepoch()) / 3600, NEW.kind, NEW.state, 1,
        max(0.0, coalesce((julianday(NEW.doc ->> 'ended_at') - julianday(NEW.doc ->> 'started_at')) * 86400.0, 0.0)))
    ON CONFLICT (hour, kind, state) DO UPDATE SET n = n + 1, seconds = seconds + excluded.seconds;
END;

CREATE TRIGGER tally_again AFTER UPDATE OF state ON operations
    WHEN OLD.state <> NEW.state
        AND (OLD.state = 'succeeded' OR OLD.state = 'failed' OR OLD.state = 'cancelled')
BEGIN
    UPDATE tallies SET n = n - 1, seconds = max(0.0, seconds - max(0.0, coalesce(
            (julianday(OLD.doc ->> 'ended_at') - julianday(OLD.doc ->> 'started_at')) * 86400.0, 0.0)))
        WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state;
    DELETE FROM tallies
        WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state AND n <= 0;
END;

CREATE TRIGGER tally_gone AFTER DELETE ON operations
    WHEN (OLD.state = 'succeeded' OR OLD.state = 'failed' OR OLD.state = 'cancelled')
        AND unixepoch(OLD.doc ->> 'ended_at') / 3600 > unixepoch() / 3600 - 24
BEGIN
    UPDATE tallies SET n = n - 1, seconds = max(0.0, seconds - max(0.0, coalesce(
            (julianday(OLD.doc ->> 'ended_at') - julianday(OLD.doc ->> 'started_at')) * 86400.0, 0.0)))
        WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state;
    DELETE FROM tallies
        WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state AND n <= 0;
END;
