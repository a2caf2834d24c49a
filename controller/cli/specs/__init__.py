"""Spec files: checked, described for editors, and written for connections that have none."""
