-- Version 6 of the store: what a new record costs. What stands in a file of version 5 is kept as it is.

-- The same rule as before; without the index every new record read the whole history of its connection.
DROP TRIGGER range_speaks_for_its_slots;

CREATE TRIGGER range_speaks_for_its_slots BEFORE INSERT ON slot_record
WHEN EXISTS (
    SELECT 1 FROM slot_record AS r INDEXED BY slot_range
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
