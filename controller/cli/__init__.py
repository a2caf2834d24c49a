"""The command line: a room for commands that belong together, one file per command; parse, call, print, exit code."""
