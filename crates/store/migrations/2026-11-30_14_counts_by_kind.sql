-- Also by kind: senders whose role is limited to some kinds get the counts of these only.
DROP TRIGGER count_new;
DROP TRIGGER count_move;
DROP TRIGGER count_gone;
DROP TABLE counts;
CREATE TABLE counts (
    kind  TEXT NOT NULL,
    state TEXT NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (kind, state)
) WITHOUT ROWID;
INSERT INTO counts SELECT kind, state, count(*) FROM operations GROUP BY kind, state;
CREATE TRIGGER count_new AFTER INSERT ON operations BEGIN
    INSERT INTO counts VALUES (NEW.kind, NEW.state, 1) ON CONFLICT (kind, state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER count_move AFTER UPDATE OF state ON operations WHEN OLD.state <> NEW.state BEGIN
    UPDATE counts SET n = n - 1 WHERE kind = OLD.kind AND state = OLD.state;
    INSERT INTO counts VALUES (NEW.kind, NEW.state, 1) ON CONFLICT (kind, state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER count_gone AFTER DELETE ON operations BEGIN
    UPDATE counts SET n = n - 1 WHERE kind = OLD.kind AND state = OLD.state;
END;
