"""What the next cycle would do, and what a merge would change."""
