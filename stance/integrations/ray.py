"""Articles by the million: classification of a Ray data set or of files, on all the machines of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import repeat
from typing import TYPE_CHECKING, Any

from stance.classifier import StanceClassifier
from stance.extras import require
from stance.integrations.parts import DOCUMENT, Part, check_free

if TYPE_CHECKING:
    import pyarrow
    import ray.data

Actors = int | tuple[int, int]

_AS_MANY_AS_FIT = (1, 1_000)


class Classify:
    """Classifies tables of rows; ``map_batches`` makes one in each of its actors, with a model of its own.

    Its ``batch_format`` must be ``"pyarrow"``: NumPy makes floats of whole numbers where one of them is missing.

    Args:
        text_column: The column with the articles.
        model: A folder that every machine of the cluster has, or a hub id; None is the embedded default.
        device: Where the network runs, such as ``"cuda"``; None is the processor.
        id_column: The column with their ids, of any type; None takes ``id`` where there is one.
        min_confidence: As for ``stance.classify``.

    Example:
        >>> import pyarrow
        >>> rows = Classify()(pyarrow.table({"text": ["The mayor denied the claim."]}))
        >>> '"label": "denial"' in rows["document"][0].as_py()
        True

    """

    def __init__(
        self,
        text_column: str = "text",
        model: str | None = None,
        device: str | None = None,
        id_column: str | None = None,
        min_confidence: float | None = None,
    ) -> None:
        self.text_column = text_column
        self.id_column = id_column
        self.min_confidence = min_confidence
        self.classifier = StanceClassifier.from_pretrained(model, device=device)

    def __call__(self, rows: pyarrow.Table) -> pyarrow.Table:
        """Add the column ``document``: of each article its line of a labelled set, as JSON; null of what is null."""
        names = rows.column_names
        for column in (self.text_column, self.id_column):
            if column is not None and column not in names:
                raise ValueError(f"there is no column {column!r}; the columns are {', '.join(names)}")
        check_free(names)
        texts = rows[self.text_column].to_pylist()
        name = self.id_column or "id"
        ids = rows[name].to_pylist() if name in names else repeat(None)
        given: Iterator[Any] = (
            text if identifier is None else (str(identifier), text)
            for identifier, text in zip(ids, texts, strict=False)
            if text is not None
        )
        documents = self.classifier.stream(given, min_confidence=self.min_confidence)
        lines = [None if text is None else next(documents).to_json() for text in texts]
        return rows.append_column(DOCUMENT, require("pyarrow", "ray").array(lines, "string"))


class ClassifyPart(Classify):
    """Classifies parts of Parquet files, and writes them with the column ``document``; see ``Classify``."""

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Classify the part that the row describes. Doing so again, after an actor died, writes the same file."""
        part = Part(**row)
        part.write(super().__call__(part.read()))
        return {"output": part.output}


def classify_dataset(
    dataset: ray.data.Dataset,
    *,
    text_column: str = "text",
    id_column: str | None = None,
    model: str | None = None,
    min_confidence: float | None = None,
    actors: Actors = _AS_MANY_AS_FIT,
    gpus_per_actor: float = 0.0,
) -> ray.data.Dataset:
    """Classify a Ray data set.

    Args:
        dataset: Rows with an article each; ray.data.read_parquet makes one of files.
        text_column: The column with the articles.
        id_column: The column with their ids, of any type; None takes ``id`` where there is one.
        model: A folder that every machine of the cluster has, or a hub id; None is the embedded default.
        min_confidence: As for ``stance.classify``.
        actors: How many models work at once, or the least and the most. Each takes one processor.
        gpus_per_actor: The part of a GPU that each of them takes as well; 0 classifies on the processors.

    Returns:
        The same rows with one more column, ``document``: the article's line of a labelled set, as JSON, or null where
        the article is. As all of Ray Data, it is computed when it is written or read.

    Raises:
        ValueError: If the rows have a column ``document`` already.

    Example:
        >>> import ray  # doctest: +SKIP
        >>> articles = ray.data.read_parquet("articles/")  # doctest: +SKIP
        >>> classify_dataset(articles).write_parquet("labelled/")  # doctest: +SKIP

    """
    check_free(dataset.columns() or ())  # None where there are no rows
    return dataset.map_batches(
        Classify,
        fn_constructor_args=(text_column, model, _device(gpus_per_actor), id_column, min_confidence),
        batch_size=256 if gpus_per_actor else 32,
        batch_format="pyarrow",
        **_pool(actors, gpus_per_actor),
    )


def classify_parts(
    parts: Sequence[Part],
    *,
    text_column: str = "text",
    id_column: str | None = None,
    model: str | None = None,
    min_confidence: float | None = None,
    actors: Actors = _AS_MANY_AS_FIT,
    gpus_per_actor: float = 0.0,
) -> Iterator[str]:
    """Classify parts of Parquet files, and write each into its file, in a folder that all machines share.

    Args:
        parts: What ``stance.integrations.parts.cut`` made of the files.
        text_column: As for ``classify_dataset``, as all that follow.
        id_column: The column with the ids.
        model: The model.
        min_confidence: Below it sentences are marked.
        actors: How many models work at once.
        gpus_per_actor: The part of a GPU that each takes.

    Yields:
        The name of each file when it is written.

    """
    data = require("ray.data", "ray")
    # Each part is a block, or else what is lost with a machine would be many of them.
    described = data.from_items([asdict(part) for part in parts], override_num_blocks=max(1, len(parts)))
    arguments = (text_column, model, _device(gpus_per_actor), id_column, min_confidence)
    done = described.map(ClassifyPart, fn_constructor_args=arguments, **_pool(actors, gpus_per_actor))
    yield from (row["output"] for row in done.iter_rows())


def _device(gpus_per_actor: float) -> str | None:
    return "cuda" if gpus_per_actor else None


def _pool(actors: Actors, gpus_per_actor: float) -> dict[str, Any]:
    return {"concurrency": actors, "num_cpus": 1, "num_gpus": gpus_per_actor or None}
