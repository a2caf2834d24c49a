"""The receiver of webhooks: it believes nothing but a signature, and all that it does is ask for a fetch."""
