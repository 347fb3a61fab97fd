"""Count what an engine changes: ``python -m benchmarks.agreement MODEL SET.jsonl.gz --fold 0``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import stance
from stance import labelled
from stance.document import Document


def changes(some: Sequence[Document], others: Sequence[Document]) -> dict[str, float]:
    """Compare the sentences of the same articles.

    Args:
        some: Documents that one engine gave.
        others: Those that another gave, in the same order.

    Returns:
        The number of sentences, the share of them whose label, whose speaker, and of which either is another, and the
        largest difference of a score, where there are scores.

    """
    pairs = [
        pair
        for one, other in zip(some, others, strict=True)
        for pair in zip(one.sentences, other.sentences, strict=True)
    ]
    label = [one.label != other.label for one, other in pairs]
    speaker = [(one.speaker and one.speaker.name) != (other.speaker and other.speaker.name) for one, other in pairs]
    either = [first or second for first, second in zip(label, speaker, strict=True)]
    scores = [(one.scores, other.scores) for one, other in pairs if one.scores and other.scores]
    differences = (abs(one[name] - other[name]) for one, other in scores for name in one)
    shares = {"label": sum(label), "speaker": sum(speaker), "label or speaker": sum(either)}
    return {
        "sentences": len(pairs),
        **{name: count / len(pairs) for name, count in shares.items()},
        "largest difference of a score": max(differences, default=0.0),
    }


def main() -> None:
    """Compare two engines on a labelled set and print what changes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a model folder with the files of both engines")
    parser.add_argument("set", help="a labelled set")
    parser.add_argument("--fold", type=int, help="only the articles of this fold")
    parser.add_argument("--every", type=int, default=1, help="only every so manieth article")
    parser.add_argument("--engines", nargs=2, default=["torch", "onnx-int8"])
    arguments = parser.parse_args()
    articles = labelled.read(arguments.set)
    if arguments.fold is not None:
        articles = [article for article in articles if article.get("fold") == arguments.fold]
    texts = [article["text"] for article in articles[:: arguments.every]]
    first, second = (list(stance.load(arguments.model, engine=name).stream(texts)) for name in arguments.engines)
    for name, value in changes(first, second).items():
        sys.stdout.write(f"{name}: {value:.4f}\n")


if __name__ == "__main__":
    main()
