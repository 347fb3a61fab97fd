"""``python -m tests.behaviour``: the pass rate of each phenomenon, as a Markdown table."""

from __future__ import annotations

import argparse
import sys

import stance
from tests.behaviour.cases import read_phenomena
from tests.behaviour.checking import Score, check, to_markdown, write_floors


def main() -> None:
    """Run every case and print what passes."""
    parser = argparse.ArgumentParser(prog="python -m tests.behaviour", description=__doc__)
    parser.add_argument("model", nargs="?", help="a model folder; without it, the default model")
    parser.add_argument("--failures", action="store_true", help="list the failed cases below the table")
    parser.add_argument("--write", action="store_true", help="make these rates the floors that the tests hold")
    arguments = parser.parse_args()
    scores = check(stance.load(arguments.model, engine="torch").classify, read_phenomena())
    sys.stdout.write(to_markdown(scores) + "\n")
    if arguments.failures:
        sys.stdout.write(_failures(scores))
    if arguments.write:
        write_floors(scores)


def _failures(scores: list[Score]) -> str:
    failed = [result for score in scores for result in score.results if result.problems]
    return "".join(f"\n{result.case.id}\n" + "".join(f"  {line}\n" for line in result.problems) for result in failed)


main()
