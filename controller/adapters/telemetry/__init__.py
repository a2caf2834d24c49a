"""Where events go: structured lines for machines, sentences for people."""
