"""Quartz calendars: their own grammar, days, and search for slots."""
