-- Version 1 of the store. What must never happen is refused here, not only in Python: a slip there becomes an error, not a second job.
-- Times are whole microseconds since 1970-01-01 UTC. `reason` and `event.name` have no list: their words grow with every version and
-- no rule rests on them; the other words are closed lists.

CREATE TABLE schedule (
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    calendar_key TEXT,              -- NULL: not in force
    content TEXT,
    effective_since INTEGER,
    watermark INTEGER,
    generation INTEGER NOT NULL DEFAULT 0,
    last_triggered_at INTEGER,      -- kept here so that pruning claims does not forget it
    PRIMARY KEY (platform, connection_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER watermark_moves_forward BEFORE UPDATE OF watermark ON schedule
WHEN OLD.watermark IS NOT NULL AND (NEW.watermark IS NULL OR NEW.watermark < OLD.watermark)
BEGIN
    SELECT RAISE(ABORT, 'a watermark only moves forward');
END;

CREATE TABLE claim (
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    scheduled_at INTEGER NOT NULL,
    run INTEGER NOT NULL CHECK (run >= 0),
    attempt INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    baseline TEXT NOT NULL CHECK (json_valid(baseline)),
    schedule TEXT NOT NULL,
    revision TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('Open', 'Confirmed', 'Adopted', 'Absent', 'Refused', 'NotSent', 'Abandoned')),
    answer TEXT NOT NULL CHECK (answer IN ('None', 'Busy', 'Unknown')),
    answered_at INTEGER,
    closed_at INTEGER,
    close_reason TEXT,
    PRIMARY KEY (platform, connection_id, scheduled_at, run, attempt),
    CHECK ((status = 'Open') = (closed_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_open_claim ON claim (platform, connection_id) WHERE status = 'Open';

CREATE TRIGGER claim_stays_closed BEFORE UPDATE ON claim
WHEN OLD.status <> 'Open'
BEGIN
    SELECT RAISE(ABORT, 'a closed claim never changes');
END;

CREATE TABLE slot_record (
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    scheduled_at INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('Triggered', 'Counted', 'Skipped', 'Missed', 'Held', 'InDoubt')),
    decided_at INTEGER NOT NULL,
    schedule TEXT NOT NULL,
    reason TEXT CHECK (reason <> ''),
    message TEXT NOT NULL,
    job_id TEXT,
    adopted INTEGER NOT NULL CHECK (adopted IN (0, 1)),
    through INTEGER CHECK (through >= scheduled_at),
    count INTEGER NOT NULL CHECK (count >= 1),
    revision TEXT NOT NULL,
    PRIMARY KEY (platform, connection_id, scheduled_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX slot_pending ON slot_record (platform, connection_id, scheduled_at) WHERE outcome IN ('Held', 'InDoubt');
CREATE INDEX slot_range ON slot_record (platform, connection_id, through) WHERE through IS NOT NULL;

CREATE TRIGGER final_record_stays BEFORE UPDATE ON slot_record
WHEN OLD.outcome NOT IN ('Held', 'InDoubt')
BEGIN
    SELECT RAISE(ABORT, 'a final record is never overwritten');
END;

-- A final range speaks for every slot in it, so a slot in it without a record of its own has its outcome already.
CREATE TRIGGER range_speaks_for_its_slots BEFORE INSERT ON slot_record
WHEN EXISTS (
    SELECT 1 FROM slot_record AS r
    WHERE r.platform = NEW.platform AND r.connection_id = NEW.connection_id AND r.through IS NOT NULL
        AND r.through >= coalesce(NEW.through, NEW.scheduled_at) AND r.scheduled_at < NEW.scheduled_at
        AND r.outcome NOT IN ('Held', 'InDoubt')
) AND NOT EXISTS (
    SELECT 1 FROM slot_record AS own
    WHERE own.platform = NEW.platform AND own.connection_id = NEW.connection_id AND own.scheduled_at = NEW.scheduled_at
)
BEGIN
    SELECT RAISE(IGNORE);
END;

CREATE TABLE attribution (
    platform TEXT NOT NULL,
    job_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    scheduled_at INTEGER NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (platform, job_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER attribution_stays BEFORE UPDATE ON attribution
BEGIN
    SELECT RAISE(ABORT, 'a job belongs to one slot for ever');
END;

CREATE TRIGGER attribution_is_kept BEFORE DELETE ON attribution
BEGIN
    SELECT RAISE(ABORT, 'a job belongs to one slot for ever');
END;

CREATE TABLE cancel_request (
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason <> ''),
    requested_at INTEGER NOT NULL,
    requests INTEGER NOT NULL CHECK (requests >= 1),
    PRIMARY KEY (platform, connection_id, job_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX cancel_newest ON cancel_request (platform, connection_id, requested_at, job_id);

CREATE TABLE job (
    platform TEXT NOT NULL,
    job_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('sync', 'reset', 'other')),
    status TEXT NOT NULL CHECK (
        status IN ('pending', 'queued', 'running', 'incomplete', 'succeeded', 'failed', 'cancelled', 'unknown')
    ),
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    duration INTEGER,
    row_count INTEGER,
    byte_count INTEGER,
    PRIMARY KEY (platform, job_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_newest ON job (platform, connection_id, created_at, job_id);

CREATE TABLE observed (
    platform TEXT NOT NULL PRIMARY KEY,
    through INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CHECK (name <> ''),
    at INTEGER NOT NULL,
    schedule TEXT,
    fields TEXT NOT NULL            -- a JSON object
) STRICT;

CREATE INDEX event_at ON event (at);
CREATE INDEX event_schedule ON event (schedule, number) WHERE schedule IS NOT NULL;
