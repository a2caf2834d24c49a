"""The shell: gather, decide, act, and when to do it again."""
