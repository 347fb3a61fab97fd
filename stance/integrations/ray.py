"""Articles by the million: classification of a Ray data set, on all the machines of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stance.classifier import StanceClassifier

if TYPE_CHECKING:
    import ray.data

Columns = dict[str, NDArray[np.generic]]

_DOCUMENT = "document"


class Classify:
    """Classifies batches of rows; ``map_batches`` makes one in each of its actors, with a model of its own.

    Args:
        text_column: The column with the articles.
        model: A folder that every machine of the cluster has, or a hub id; None is the embedded default.
        device: Where the network runs, such as ``"cuda"``; None is the processor.

    Example:
        >>> import numpy as np
        >>> rows = Classify()({"text": np.array(["The mayor denied the claim."], dtype=object)})
        >>> '"label": "denial"' in rows["document"][0]
        True

    """

    def __init__(self, text_column: str = "text", model: str | None = None, device: str | None = None) -> None:
        self.text_column = text_column
        self.classifier = StanceClassifier.from_pretrained(model, device=device)

    def __call__(self, rows: Columns) -> Columns:
        """Add the column ``document``: of each article its line of a labelled set, as JSON."""
        if self.text_column not in rows:
            raise ValueError(f"there is no column {self.text_column!r}; the columns are {', '.join(rows)}")
        documents = self.classifier.stream(rows[self.text_column].tolist())
        return {**rows, _DOCUMENT: np.array([document.to_json() for document in documents], dtype=object)}


def classify_dataset(
    dataset: ray.data.Dataset,
    *,
    text_column: str = "text",
    model: str | None = None,
    actors: int | tuple[int, int] = (1, 1_000),
    gpus_per_actor: float = 0.0,
) -> ray.data.Dataset:
    """Classify a Ray data set.

    Args:
        dataset: Rows with an article each; ray.data.read_parquet makes one of files.
        text_column: The column with the articles.
        model: A folder that every machine of the cluster has, or a hub id; None is the embedded default.
        actors: How many models work at once, or the least and the most. Each takes one processor.
        gpus_per_actor: The part of a GPU that each of them takes as well; 0 classifies on the processors.

    Returns:
        The same rows with one more column, ``document``: the article's line of a labelled set, as JSON. As all of
        Ray Data, it is computed when it is written or read.

    Example:
        >>> import ray  # doctest: +SKIP
        >>> articles = ray.data.read_parquet("articles/")  # doctest: +SKIP
        >>> classify_dataset(articles).write_parquet("labelled/")  # doctest: +SKIP

    """
    return dataset.map_batches(
        Classify,
        fn_constructor_args=(text_column, model, "cuda" if gpus_per_actor else None),
        batch_size=256 if gpus_per_actor else 32,
        concurrency=actors,
        num_cpus=1,
        num_gpus=gpus_per_actor or None,
    )
