-- Version 5 of the store: revisions, drift, requests and conditions. What stands in a file of version 4 is kept as it is.

-- Revisions of the specs, and since when a schedule says what it says.

ALTER TABLE schedule ADD COLUMN content_since INTEGER;      -- NULL: it has not changed since there is this column

CREATE TABLE revision_applied (
    only_one INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
    name TEXT NOT NULL CHECK (name <> ''),
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE revision_held (
    place INTEGER NOT NULL PRIMARY KEY,     -- the oldest first
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    at INTEGER NOT NULL,
    in_force INTEGER NOT NULL CHECK (in_force >= 0),
    message TEXT NOT NULL,
    removed TEXT NOT NULL                   -- JSON: pairs of platform and connection
) STRICT;


-- What somebody else changed on connections, and corrections of it.

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


-- Requests of people.

CREATE TABLE request (
    key TEXT NOT NULL PRIMARY KEY CHECK (key <> ''),
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    schedule TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('Suspend', 'Resume', 'Trigger', 'Cancel', 'Sync', 'Reset')),
    source TEXT NOT NULL CHECK (source IN ('ByHand', 'Spec')),
    made_at INTEGER NOT NULL CHECK (made_at % 1000000 <> 0),    -- so that it is no slot's: those are whole seconds
    asked_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    until INTEGER,
    not_before INTEGER,
    expires_at INTEGER,
    status TEXT NOT NULL CHECK (
        status IN ('Waiting', 'Claimed', 'Done', 'Ended', 'Refused', 'Failed', 'Expired', 'Withdrawn', 'InDoubt')
    ),
    message TEXT NOT NULL,
    job_id TEXT,
    decided_at INTEGER,
    UNIQUE (platform, connection_id, made_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX request_open ON request (platform, connection_id, made_at) WHERE status IN ('Waiting', 'Claimed');
CREATE INDEX request_suspension ON request (platform, connection_id, made_at) WHERE action = 'Suspend' AND status IN ('Waiting', 'Done');

CREATE TRIGGER final_request_stays BEFORE UPDATE ON request
WHEN OLD.status NOT IN ('Waiting', 'Claimed') AND NOT (OLD.action = 'Suspend' AND OLD.status = 'Done' AND NEW.status = 'Ended')
BEGIN
    SELECT RAISE(ABORT, 'what a request came to is never changed');
END;

-- The key of a document says "at most once, ever": to forget it would be to do it again.
CREATE TRIGGER declared_request_is_kept BEFORE DELETE ON request
WHEN OLD.source = 'Spec'
BEGIN
    SELECT RAISE(ABORT, 'a request of a document is kept for ever');
END;

ALTER TABLE claim ADD COLUMN request TEXT NOT NULL DEFAULT '';     -- the key of the request that it carries out; '': a slot's
ALTER TABLE claim ADD COLUMN kind TEXT NOT NULL DEFAULT 'sync' CHECK (kind IN ('sync', 'reset'));

-- Which request a claim is about, and that nobody took it before, is compared where the claim is written.
CREATE TRIGGER a_request_is_claimed_while_it_waits BEFORE INSERT ON claim
WHEN NEW.request <> '' AND NOT EXISTS (
    SELECT 1 FROM request AS r
    WHERE r.key = NEW.request AND r.status = 'Waiting' AND r.platform = NEW.platform AND r.connection_id = NEW.connection_id
        AND r.made_at = NEW.scheduled_at
)
BEGIN
    SELECT RAISE(ABORT, 'a request is claimed while it waits');
END;


-- Conditions, and the revision by which a schedule was taken in.

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
