"""Platforms over HTTP: Aitronos Knowledge Connectors, and the embedded platform, which speaks the same API."""
