-- Version 3 of the store: who may write to a platform. What stands in a file of version 2 is kept as it is.

CREATE TABLE epoch (
    platform TEXT NOT NULL PRIMARY KEY CHECK (platform <> ''),
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    holder TEXT NOT NULL CHECK (holder <> ''),
    taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER epoch_only_grows BEFORE UPDATE ON epoch
WHEN NEW.epoch <= OLD.epoch OR NEW.platform <> OLD.platform
BEGIN
    SELECT RAISE(ABORT, 'an epoch only grows');
END;

CREATE TRIGGER epoch_is_kept BEFORE DELETE ON epoch
BEGIN
    SELECT RAISE(ABORT, 'an epoch only grows');
END;

ALTER TABLE claim ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;      -- under which it was written; 0: before there were epochs

-- A claim is what a POST rests on, so its epoch is compared here as well.
CREATE TRIGGER claim_under_the_epoch_in_force BEFORE INSERT ON claim
WHEN NEW.epoch IS NOT (SELECT e.epoch FROM epoch AS e WHERE e.platform = NEW.platform)
BEGIN
    SELECT RAISE(ABORT, 'a claim is written under the epoch in force');
END;

CREATE TRIGGER claim_keeps_its_epoch BEFORE UPDATE OF epoch ON claim
WHEN NEW.epoch <> OLD.epoch
BEGIN
    SELECT RAISE(ABORT, 'a claim is written under the epoch in force');
END;
