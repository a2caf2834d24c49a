"""The built-in engine: what one job's own process does. Standard library only, so that a job starts in some 30 ms and 12 MB."""
