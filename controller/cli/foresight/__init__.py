"""Slots to come: those of one expression, and what those of all schedules will come to."""
