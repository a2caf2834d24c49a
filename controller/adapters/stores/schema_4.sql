-- Version 4 of the store: rows of refusals for a job that nobody can find, and what was told of clocks. What stands in a file of version 3 is kept as it is.

ALTER TABLE schedule ADD COLUMN phantoms INTEGER NOT NULL DEFAULT 0 CHECK (phantoms >= 0);

CREATE INDEX event_clock ON event (number)
WHERE name IN ('clock_agreed', 'clock_frozen', 'clock_skewed', 'controller_started', 'controller_stopped');
