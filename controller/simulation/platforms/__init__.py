"""Simulated platforms: the truth about them, what people do on them, and how a controller asks, at its port or through HTTP."""
