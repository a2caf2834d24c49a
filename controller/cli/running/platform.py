"""``mainspring platform``: the embedded platform alone."""

from controller.embedded.arguments import add_arguments, run_platform

EXAMPLE = """example:
  mainspring platform --listen 127.0.0.1:8000 --data platform-data --config connections.yaml --token-file token
  mainspring platform --data platform-data --token-file token --fault lost-reply@0.1 --fault delay=2s@0.5"""

execute = run_platform

__all__ = ["EXAMPLE", "add_arguments", "execute"]
