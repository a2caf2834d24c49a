"""Texts that are compared as a whole."""
