"""Two revisions side by side, as text, Markdown and JSON."""
