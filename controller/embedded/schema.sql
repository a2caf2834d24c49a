-- The embedded platform's own state. Times are microseconds since 1970, UTC.

CREATE TABLE IF NOT EXISTS platform (
    tag TEXT NOT NULL  -- part of every job id, so that ids stay unique when somebody deletes the data directory
);

CREATE TABLE IF NOT EXISTS jobs (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice
    job_id TEXT NOT NULL UNIQUE,
    connection_id TEXT NOT NULL,
    job_type TEXT NOT NULL CHECK (job_type IN ('sync', 'reset')),
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    rows_synced INTEGER NOT NULL DEFAULT 0,
    bytes_synced INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    process_id INTEGER,
    process_started TEXT  -- tells the process from a later one with the same id
);
-- The platform's promise, kept by the database: at most one active job per connection.
CREATE UNIQUE INDEX IF NOT EXISTS one_active_job_per_connection ON jobs (connection_id)
    WHERE status IN ('pending', 'running');
CREATE INDEX IF NOT EXISTS active_jobs ON jobs (sequence) WHERE status IN ('pending', 'running');
CREATE INDEX IF NOT EXISTS jobs_by_age ON jobs (created_at, sequence);
CREATE INDEX IF NOT EXISTS jobs_of_connection ON jobs (connection_id, created_at, sequence);

CREATE TABLE IF NOT EXISTS job_lines (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL,
    logged_at INTEGER NOT NULL,
    line TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS lines_of_job ON job_lines (job_id, sequence);

CREATE TABLE IF NOT EXISTS timeline (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    connection_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    summary TEXT NOT NULL  -- JSON
);
CREATE INDEX IF NOT EXISTS timeline_of_connection ON timeline (connection_id, sequence);

CREATE TABLE IF NOT EXISTS connections (
    connection_id TEXT PRIMARY KEY,
    origin TEXT NOT NULL CHECK (origin IN ('file', 'api')),
    deleted INTEGER NOT NULL DEFAULT 0,  -- a connection of the file that was deleted over the API
    fields TEXT NOT NULL  -- JSON: all of it (api), or what the API changed on top of the file (file)
);

CREATE TABLE IF NOT EXISTS schedules (
    connection_id TEXT PRIMARY KEY,
    schedule TEXT NOT NULL,  -- JSON, of an active connection that is not manual
    since INTEGER NOT NULL  -- an interval counts from here until there is a job
);
