"""YAML documents become validated specs; a revision is read whole or not at all."""
