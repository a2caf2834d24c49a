"""The checker at work: over simulated days, and over what really happened."""
