-- Version 7 of the store: requests of people. What stands in a file of version 6 is kept as it is.

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
