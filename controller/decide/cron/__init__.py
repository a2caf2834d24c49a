"""Cron calendars: the grammar, zones as runs of constant offset, and the search for slots."""
