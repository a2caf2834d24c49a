"""Which slots there should have been, by brute force, and what records and jobs say of them: no hidden truth is needed for it."""
