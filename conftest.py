"""Runs the examples of README, documentation and docstrings as tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sybil import Sybil
from sybil.parsers.doctest import DocTestParser
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parent


def _enter(namespace: dict[str, Any]) -> None:
    """Go to an empty folder with the files that the pages speak of."""
    namespace["_folder"], namespace["_before"] = folder, _ = TemporaryDirectory(), os.getcwd()
    place = Path(folder.name)
    for name in ("seeds", "configs", "examples"):
        shutil.copytree(ROOT / name, place / name)
    shutil.copy(ROOT / "examples" / "concepts.jsonl", place / "own.jsonl")
    for model in ("runs/finetune/model", "runs/courts/model"):
        shutil.copytree(ROOT / "stance" / "models" / "default", place / model, copy_function=os.symlink)
    os.chdir(place)


def _leave(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["_before"])
    namespace["_folder"].cleanup()


pages = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "CONTRIBUTING.md", "docs/*.md"],
    setup=_enter,
    teardown=_leave,
)
docstrings = Sybil(parsers=[DocTestParser()], patterns=["stance/**/*.py", "stance/*.py", "training/*.py", "tools/*.py"])

pytest_collect_file = (pages + docstrings).pytest()
