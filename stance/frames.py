"""Tables of sentences, one row each; articles out of data frames and datasets, and back with their labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from stance.surrogates import replace_surrogates

if TYPE_CHECKING:
    import pandas as pd

    from stance.classifier import StanceClassifier
    from stance.document import Document, Span

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "id": "string",
        "sentence": "int64",
        "start": "int64",
        "end": "int64",
        "text": "string",
        "label": "string",
        "confidence": "float64",
        "speaker": "string",
        "speaker_kind": "string",
        "speaker_confidence": "float64",
        "mention": "string",
        "mention_start": "Int64",
        "cue": "string",
        "cue_start": "Int64",
        "target": "string",
        "target_start": "Int64",
        "abstained": "bool",
    }
)
"""What is told of a sentence, and as which pandas type; the same for every table, whatever it holds."""

_ABSENT: Mapping[str, str | float] = MappingProxyType({"string": "", "Int64": -1, "float64": math.nan})


def rows(doc: Document) -> list[dict[str, Any]]:
    """Tell what ``COLUMNS`` lists of each sentence.

    Args:
        doc: The document.

    Returns:
        One dictionary a sentence, in order; None for what there is not.

    """
    return [
        {
            "id": doc.id,
            "sentence": index,
            "start": sentence.start,
            "end": sentence.end,
            "text": sentence.text,
            "label": str(sentence.label),
            "confidence": sentence.confidence,
            "speaker": sentence.speaker and sentence.speaker.name,
            "speaker_kind": sentence.speaker and sentence.speaker.kind,
            "speaker_confidence": sentence.speaker_confidence,
            **_evidence("mention", sentence.mention),
            **_evidence("cue", sentence.cue),
            **_evidence("target", sentence.target),
            "abstained": sentence.abstained,
        }
        for index, sentence in enumerate(doc.sentences)
    ]


def to_frame(docs: Iterable[Document]) -> pd.DataFrame:
    """Make a pandas data frame of documents, one row a sentence.

    Args:
        docs: The documents.

    Returns:
        A frame with ``COLUMNS``; lone surrogates, which no frame can hold, are U+FFFD in it.

    Example:
        >>> from stance import Document
        >>> line = {"text": "It rained.", "sentences": [
        ...     {"start": 0, "end": 10, "label": "assertion", "speaker": "author"}]}
        >>> to_frame([Document.from_dict(line)])["speaker"].tolist()
        ['author']

    """
    import pandas as pd

    listed = [_encodable(row) for row in chain.from_iterable(map(rows, docs))]
    return pd.DataFrame(listed, columns=list(COLUMNS)).astype(dict(COLUMNS))


def classify_frame(
    df: pd.DataFrame,
    text: str = "text",
    id: str | None = None,
    *,
    classifier: StanceClassifier | None = None,
    min_confidence: float | None = None,
) -> pd.DataFrame:
    """Label every sentence of the articles in a pandas data frame.

    Args:
        df: One article a row.
        text: The column that holds the articles.
        id: The column that holds their ids, of any type.
        classifier: Who labels them; None is the embedded default model.
        min_confidence: As for ``stance.classify``.

    Returns:
        A frame with the columns ``stance.frames.COLUMNS``, one row a sentence, in order. Its index repeats that of
        ``df``, so that ``df.merge(result, left_index=True, right_index=True, suffixes=("", "_sentence"))`` puts them
        side by side where no two rows of ``df`` have the same index; ``id`` repeats the ids as they are.

    Raises:
        KeyError: If there is no such column.
        TypeError: If an article is no string; the message says which.

    Example:
        >>> import pandas as pd
        >>> articles = pd.DataFrame({"url": ["a"], "body": ["The mayor denied the claim."]})
        >>> classify_frame(articles, text="body", id="url")[["id", "label"]].values.tolist()
        [['a', 'denial']]

    """
    texts, counts = _texts(df[text], text), []
    ids = None if id is None else df[id]

    def counted() -> Iterator[Document]:
        for document in _classifier(classifier).stream(texts, min_confidence=min_confidence):
            counts.append(len(document.sentences))
            yield document

    out = to_frame(counted())
    out.index = df.index.repeat(counts)
    if ids is not None:
        out["id"] = ids.repeat(counts).array
    return out


def classify_batch(
    batch: Mapping[str, Sequence[Any]],
    text: str = "text",
    *,
    classifier: StanceClassifier | None = None,
    min_confidence: float | None = None,
) -> dict[str, list[list[dict[str, Any]]]]:
    """Label a batch of articles of a Hugging Face dataset, for ``Dataset.map``.

    Args:
        batch: The columns of some rows.
        text: The column that holds the articles.
        classifier: Who labels them; None is the embedded default model.
        min_confidence: As for ``stance.classify``.

    Returns:
        One more column, ``stance``: for each article the list of its sentences, each with the keys
        ``stance.frames.COLUMNS`` except ``id``; what there is not is an empty string, -1 or NaN. All other columns, and
        the order of the rows, stay as they are.

    Raises:
        TypeError: If an article is no string; the message says which.

    Example:
        >>> import datasets
        >>> articles = datasets.Dataset.from_dict({"url": ["a"], "body": ["The mayor denied the claim."]})
        >>> labelled = articles.map(classify_batch, batched=True, fn_kwargs={"text": "body"})
        >>> labelled[0]["stance"][0]["label"]
        'denial'

    """
    documents = _classifier(classifier).stream(_texts(batch[text], text), min_confidence=min_confidence)
    return {"stance": [[_present(_encodable(row)) for row in rows(document)] for document in documents]}


def _encodable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: replace_surrogates(value) if isinstance(value, str) else value for key, value in row.items()}


def _present(row: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the id, and every None: from a batch without any target, datasets would learn no type for it."""
    return {key: _ABSENT[COLUMNS[key]] if value is None else value for key, value in row.items() if key != "id"}


def _evidence(role: str, span: Span | None) -> dict[str, str | int | None]:
    return {role: span.text if span else None, f"{role}_start": span.start if span else None}


def _texts(column: Iterable[Any], name: str) -> list[str]:
    texts = list(column)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"row {row}: {name!r} holds {text!r:.40}, which is no string; leave such rows out")
    return texts


def _classifier(given: StanceClassifier | None) -> StanceClassifier:
    from stance.api import default_classifier

    return given or default_classifier()
