"""Broken files in ``bad`` beside valid ones in ``good``; end-to-end tests read the same tree."""

from pathlib import Path

CORPUS = Path(__file__).parent
