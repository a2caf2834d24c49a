"""Where claims and records outlive the process: in memory, or in one SQLite file."""
