-- Version 6 of the store: what somebody else changed on connections, and corrections of it. What stands in a file of version 5 is kept as it is.

CREATE TABLE drift (
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    field TEXT NOT NULL CHECK (field IN ('platformSchedule', 'connectionStatus')),
    policy TEXT NOT NULL CHECK (policy IN ('Enforce', 'Warn', 'Ignore')),
    desired TEXT NOT NULL,
    observed TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    ended_at INTEGER,               -- NULL: it differs still
    fighting_since INTEGER,
    PRIMARY KEY (platform, connection_id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE correction (
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    field TEXT NOT NULL CHECK (field IN ('platformSchedule', 'connectionStatus')),
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    generation INTEGER NOT NULL,
    look INTEGER NOT NULL CHECK (look >= 0),
    status TEXT NOT NULL CHECK (status IN ('Sent', 'Taken', 'Refused')),
    PRIMARY KEY (platform, connection_id, at, field)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER answered_correction_stays BEFORE UPDATE OF status ON correction
WHEN OLD.status <> 'Sent'
BEGIN
    SELECT RAISE(ABORT, 'what came of a correction never changes');
END;
