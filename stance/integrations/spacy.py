"""spaCy: the pipeline component ``stance``, for any pipeline.

Example:
    >>> import spacy
    >>> import stance.integrations.spacy  # an installed stance is found without it
    >>> nlp = spacy.blank("en")
    >>> _ = nlp.add_pipe("stance")
    >>> doc = nlp("The mayor denied the claim.")
    >>> [(span.text, span.label_, span._.speaker) for span in doc.spans["stance"]]
    [('The mayor denied the claim.', 'denial', 'The mayor')]

"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, tee

from stance.classifier import StanceClassifier
from stance.document import Document, Sentence
from stance.extras import require
from stance.palette import MARKS

require("spacy", "spacy")

from spacy.language import Language  # noqa: E402
from spacy.tokens import Doc, Span  # noqa: E402

KEY = "stance"
"""Where a document keeps the result: in its spans, and among its user data."""

DISPLACY_OPTIONS = {"spans_key": KEY, "colors": {str(label): mark.terminal for label, mark in MARKS.items()}}
"""For ``displacy.render(doc, style="span", options=DISPLACY_OPTIONS)``."""


class StanceComponent:
    """Labels the sentences of spaCy documents; made by ``nlp.add_pipe("stance")``.

    It sets ``doc.spans["stance"]``, a span a sentence with its label; ``doc._.stance``, the ``stance.Document``;
    ``span._.stance``, the ``stance.Sentence``; ``span._.speaker``, the name of its speaker. All of it is stored with
    the document. Where a sentence begins or ends inside a token, its span takes in the whole token.

    Args:
        model: A folder or a hub id; None is the embedded default.
        min_confidence: As for ``stance.classify``.

    """

    def __init__(self, model: str | None, min_confidence: float | None) -> None:
        self.model = model
        self.min_confidence = min_confidence

    def __call__(self, doc: Doc) -> Doc:
        """Label one document."""
        return next(self.pipe([doc]))

    def pipe(self, docs: Iterable[Doc], batch_size: int = 32) -> Iterator[Doc]:
        """Label any number of documents, ``batch_size`` together."""
        docs, read = tee(docs)
        results = _load(self.model).stream(
            (doc.text for doc in read), batch_size=batch_size, min_confidence=self.min_confidence
        )
        for doc, result in zip(docs, results, strict=True):
            doc.user_data[KEY] = result.to_json()
            doc.spans[KEY] = [_span(doc, sentence) for sentence in result.sentences]
            yield doc


def make_stance(
    nlp: Language, name: str, model: str | None = None, min_confidence: float | None = None
) -> StanceComponent:
    """Make the component; spaCy calls this for ``nlp.add_pipe("stance", config={"min_confidence": 0.8})``."""
    return StanceComponent(model, min_confidence)


@lru_cache(maxsize=2)
def _load(model: str | None) -> StanceClassifier:
    # Not kept in the component, which goes through a pipe to every other process.
    return StanceClassifier.from_pretrained(model)


@lru_cache(maxsize=64)
def _parse(line: str) -> Document:
    return Document.from_dict(json.loads(line))


def _document(doc: Doc) -> Document | None:
    line = doc.user_data.get(KEY)
    if line is None:
        return None
    document = _parse(line)
    # ``Span.as_doc`` copies what is known of the whole to a part.
    length = doc[-1].idx + len(doc[-1].text_with_ws) if len(doc) else 0
    return document if length == len(document.text) else None


def _sentence(span: Span) -> Sentence | None:
    """Find the sentence that this span was made of."""
    document = _document(span.doc)
    if document is None:
        return None
    index = bisect_left(document.sentences, span.start_char, key=lambda sentence: sentence.start)
    # Where tokens hold more than a word, several sentences may begin in one.
    for sentence in islice(document.sentences, index, None):
        own = _span(span.doc, sentence)
        if (own.start, own.end) == (span.start, span.end):
            return sentence
        if own.start > span.start:
            break
    return None


def _speaker(span: Span) -> str | None:
    sentence = _sentence(span)
    return sentence.speaker.name if sentence and sentence.speaker else None


def _span(doc: Doc, sentence: Sentence) -> Span:
    span = doc.char_span(sentence.start, sentence.end, label=str(sentence.label), alignment_mode="expand")
    assert span is not None  # a sentence is never empty, and tokens leave nothing out
    return span


Language.factory(KEY, func=make_stance, assigns=["doc.spans", "doc._.stance", "span._.stance", "span._.speaker"])
Doc.set_extension("stance", getter=_document, force=True)
Span.set_extension("stance", getter=_sentence, force=True)
Span.set_extension("speaker", getter=_speaker, force=True)
