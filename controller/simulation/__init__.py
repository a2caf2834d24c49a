"""The whole controller in virtual time."""
