-- Version 5 of the store: revisions of the specs, and since when a schedule says what it says. What stands in a file of version 4 is kept as it is.

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
