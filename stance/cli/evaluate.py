"""``stance evaluate``: a model or a baseline against a labelled set."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stance.cli.commands import add_command, named
from stance.cli.progress import with_progress

if TYPE_CHECKING:
    from stance.cli.commands import Commands
    from stance.labelled import Article

_EXAMPLES = """\
  stance evaluate gold.jsonl --errors 20           the default model, and its worst errors
  stance evaluate gold.jsonl --model runs/final    another model
  stance evaluate gold.jsonl --baseline tfidf --train train.jsonl
"""


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "evaluate", "measure a model or a baseline on a labelled set", _EXAMPLES)
    parser.add_argument("set", metavar="SET", help="a labelled set, .jsonl or .jsonl.gz")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--model", metavar="MODEL", help="a folder or a hub id (default: the embedded model)")
    what.add_argument("--baseline", metavar="NAME", help="majority or tfidf; needs --train")
    parser.add_argument("--train", metavar="TRAIN", help="the labelled set that the baseline learns from")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="list the N worst errors")
    parser.add_argument("--json", action="store_true", help="print JSON, with every error")
    parser.add_argument("--predictions", metavar="OUT", help="save the predicted articles as .jsonl or .jsonl.gz")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    from stance import labelled
    from stance.evaluation import by_id, evaluate

    _check_files(arguments)
    articles = list(by_id(arguments.set).values())
    predicted = _predict(arguments, articles)
    if arguments.predictions:
        with named(arguments.predictions):
            labelled.write(arguments.predictions, predicted)
    evaluation = evaluate(articles, arguments.predictions or predicted)
    text = json.dumps(evaluation.to_dict(), indent=2) if arguments.json else evaluation.to_text(arguments.errors)
    sys.stdout.write(f"{text}\n")


def _predict(arguments: argparse.Namespace, articles: Sequence[Article]) -> Iterable[Article]:
    if arguments.baseline:
        from stance.baselines import fit_baseline
        from stance.labelled import read

        return fit_baseline(arguments.baseline, read(arguments.train)).predict(articles)
    from stance.classifier import StanceClassifier

    documents = StanceClassifier.from_pretrained(arguments.model).stream(
        (article["id"], article["text"]) for article in articles
    )
    return (document.to_dict() for document in with_progress(documents, len(articles)))


def _check_files(arguments: argparse.Namespace) -> None:
    if bool(arguments.baseline) != bool(arguments.train):
        raise ValueError("--baseline and --train go together: a baseline learns from a labelled set")
    for read in filter(None, (arguments.set, arguments.train)):
        if arguments.predictions and Path(read).resolve() == Path(arguments.predictions).resolve():
            raise ValueError(f"--predictions would overwrite the labelled set {read}; name another file")
