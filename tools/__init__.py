"""Commands for those who maintain the project; no part of the library."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
