-- Version 8 of the store: conditions, and the revision by which a schedule was taken in. What stands in a file of version 7 is kept as it is.

ALTER TABLE schedule ADD COLUMN revision TEXT NOT NULL DEFAULT '';

CREATE TABLE condition (
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('Ready', 'Reconciling', 'Stalled', 'Drifted', 'Healthy', 'InWindow')),
    status TEXT NOT NULL CHECK (status IN ('True', 'False', 'Unknown')),
    reason TEXT NOT NULL CHECK (reason <> ''),
    message TEXT NOT NULL,
    observed_generation INTEGER NOT NULL CHECK (observed_generation >= 0),
    last_transition_at INTEGER NOT NULL,
    PRIMARY KEY (platform, connection_id, type)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER transition_moves_with_the_status BEFORE UPDATE ON condition
WHEN OLD.status = NEW.status AND OLD.last_transition_at <> NEW.last_transition_at
BEGIN
    SELECT RAISE(ABORT, 'the time of a transition moves only with the status');
END;
