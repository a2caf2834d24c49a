"""What became of schedules: their status, their events, and the reasons."""
