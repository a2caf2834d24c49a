-- Version 2 of the store: rows of failures, freshness, local times and policies. What stands in a file of version 1 is kept as it is.

ALTER TABLE schedule ADD COLUMN failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0);
ALTER TABLE schedule ADD COLUMN failed_at INTEGER;      -- when the newest failure that counts ended
ALTER TABLE schedule ADD COLUMN success_job_id TEXT;
ALTER TABLE schedule ADD COLUMN success_at INTEGER CHECK ((success_at IS NULL) = (success_job_id IS NULL));
ALTER TABLE schedule ADD COLUMN fresh_since INTEGER;

CREATE TRIGGER fresh_since_moves_forward BEFORE UPDATE OF fresh_since ON schedule
WHEN OLD.fresh_since IS NOT NULL AND (NEW.fresh_since IS NULL OR NEW.fresh_since < OLD.fresh_since)
BEGIN
    SELECT RAISE(ABORT, 'the start of freshness only moves forward');
END;

ALTER TABLE slot_record ADD COLUMN wall TEXT NOT NULL DEFAULT '';

CREATE INDEX slot_wall ON slot_record (platform, connection_id, scheduled_at) WHERE wall <> '';

CREATE INDEX claim_retry ON claim (platform, connection_id, scheduled_at) WHERE run > 0;

CREATE TABLE policy (
    name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
    path TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT, WITHOUT ROWID;
