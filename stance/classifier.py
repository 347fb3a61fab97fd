"""The classifier: articles in, documents out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from numbers import Integral, Real
from pathlib import Path
from typing import overload

from stance.assembly import assemble
from stance.decoding import WindowReading, decode, read_window
from stance.document import Document
from stance.engines import Engine, Logits
from stance.sentences import Boundary, check_boundaries, split
from stance.settings import Settings
from stance.windows import Window, Windower

_READ_AHEAD = 32

Boundaries = Sequence[tuple[int, int]]
Texts = list[str] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An article cut up for the network.

    Args:
        text: The article.
        spans: Its sentences.
        windows: What the network reads.

    """

    text: str
    spans: Sequence[tuple[int, int]]
    windows: list[Window]


class StanceClassifier:
    """Labels the sentences of articles and links them to their speakers.

    Args:
        engine: Runs the network.
        windower: Cuts articles into the network's windows.
        settings: The model's inference settings.
        folder: Where the model's files lie, if they lie anywhere.

    Example:
        >>> import stance
        >>> classifier = stance.StanceClassifier.from_pretrained()
        >>> classifier.classify("The mayor denied the claim.").sentences[0].label.value
        'denial'

    """

    def __init__(self, engine: Engine, windower: Windower, settings: Settings, folder: Path | None = None) -> None:
        self.engine = engine
        self.windower = windower
        self.settings = settings
        self.folder = folder

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, *, device: str | None = None, engine: str | None = None
    ) -> StanceClassifier:
        """Load a model.

        Args:
            model: A folder, or the name of a repository on the Hugging Face hub; None is the embedded default.
            device: Where the network runs, such as ``"cuda"``; None is the processor.
            engine: How it runs there: one of ``stance.engines.ENGINES``. None is torch on a GPU; on the processor it
                is the environment variable ``STANCE_ENGINE`` or, without that, the fastest that the model has files
                for.

        Returns:
            A classifier that is ready to use.

        Raises:
            FileNotFoundError: If there is no such folder, or it lacks one of a model's files.
            ValueError: If a file is broken, which the message names; if there is no such device or engine, or the
                engine does not run on the device.

        """
        from stance.loading import DEFAULT_MODEL, load_classifier

        return load_classifier(DEFAULT_MODEL if model is None else model, device, engine)

    def save_pretrained(self, folder: str | Path) -> None:
        """Copy the model's files into ``folder``, which ``from_pretrained`` then loads.

        Args:
            folder: Where to; weights of another model that lie there are removed.

        Raises:
            FileNotFoundError: If the folder that the model was loaded from has gone, or lacks a file by now.
            ValueError: If it was loaded from none.

        """
        from stance.loading import copy_files, list_files

        source = self._source()
        copy_files(source, Path(folder), list_files(source))

    def push_to_hub(self, repository: str, *, private: bool = False) -> str:
        """Upload the model to the Hugging Face hub.

        Args:
            repository: Its name there, such as ``"newsroom/stance-courts"``; created if it does not exist. Weights of
                another model that lie there are removed.
            private: Whether a new repository is private.

        Returns:
            The address of the commit.

        Raises:
            FileNotFoundError: If the folder that the model was loaded from has gone, or lacks a file by now.
            ValueError: If it was loaded from none.

        """
        from huggingface_hub import HfApi

        from stance.loading import WEIGHTS, list_files

        folder = self._source()
        names = list_files(folder)
        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=names,
            delete_patterns=[name for name in WEIGHTS if name not in names],
        )
        return str(commit.commit_url)

    @overload
    def classify(
        self, text: str, *, sentences: Boundaries | None = None, min_confidence: float | None = None
    ) -> Document: ...

    @overload
    def classify(
        self,
        text: Texts,
        *,
        sentences: Sequence[Boundaries] | None = None,
        min_confidence: float | None = None,
    ) -> list[Document]: ...

    def classify(
        self,
        text: str | Texts,
        *,
        sentences: Boundaries | Sequence[Boundaries] | None = None,
        min_confidence: float | None = None,
    ) -> Document | list[Document]:
        """Label every sentence of one article or of several.

        Args:
            text: An article, or a list of them.
            sentences: The caller's own sentence boundaries, as (start, end) pairs; for a list of articles, a list
                of such lists.
            min_confidence: Sentences whose confidence lies below are marked ``abstained``; labels do not change.

        Returns:
            A document, or a list of documents in the same order.

        Raises:
            TypeError: If an item is no string, or boundaries are no pairs of whole numbers; the message says which.
            ValueError: If boundaries leave out, overlap or reverse anything, or ``min_confidence`` is no probability.

        """
        check_confidence(min_confidence)
        if isinstance(text, str):
            spans = None if sentences is None else check_boundaries(text, sentences)  # type: ignore[arg-type]
            return next(self._documents(iter([(None, text, spans)]), 1, min_confidence))
        if not isinstance(text, list | tuple):
            raise TypeError(
                f"classify takes a string or a list of strings, not {type(text).__name__}; "
                "for an iterator use StanceClassifier.stream"
            )
        checked = [_checked(item, index) for index, item in enumerate(text)]
        own = [None] * len(checked) if sentences is None else _own_boundaries(checked, sentences)
        items = ((None, item, spans) for item, spans in zip(checked, own, strict=True))
        return list(self._documents(items, _READ_AHEAD, min_confidence))

    def stream(
        self,
        texts: Iterable[str | tuple[str, str]],
        *,
        batch_size: int = _READ_AHEAD,
        min_confidence: float | None = None,
    ) -> Iterator[Document]:
        """Label any number of articles in constant memory.

        Args:
            texts: Articles, or (id, article) pairs.
            batch_size: How many articles are read ahead.
            min_confidence: As for ``classify``.

        Returns:
            An iterator over one document an article, in the same order.

        Raises:
            TypeError: If ``texts`` is one string or no iterable, or an item is neither a string nor a pair; the message
                says which.
            ValueError: If ``batch_size`` or ``min_confidence`` is out of range.

        """
        check_confidence(min_confidence)
        if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
            raise TypeError(f"stream takes an iterable of texts, not {type(texts).__name__}; for one text use classify")
        if not isinstance(batch_size, Integral):
            raise TypeError(f"batch_size must be a whole number of at least 1, not {batch_size!r:.80}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        items = ((*_identified(item, index), None) for index, item in enumerate(texts))
        return self._documents(items, batch_size, min_confidence)

    def _documents(
        self,
        items: Iterator[tuple[str | None, str, list[Boundary] | None]],
        batch_size: int,
        min_confidence: float | None,
    ) -> Iterator[Document]:
        """Classify (id, text, own boundaries that were checked, or None) in batches of articles."""
        while batch := list(islice(items, batch_size)):
            cut: list[Prepared] = []
            # The engine takes window after window: it may read the first article while others are being cut.
            logits = self.engine.run(self._cut(batch, cut))
            for (identifier, _, _), article in zip(batch, cut, strict=True):
                out = zip(article.windows, islice(logits, len(article.windows)), strict=True)
                found = (self.read(article, window, computed) for window, computed in out)
                yield self.finish(article, found, min_confidence, identifier)

    def _cut(
        self, batch: Iterable[tuple[str | None, str, list[Boundary] | None]], cut: list[Prepared]
    ) -> Iterator[Window]:
        """Cut articles up, note them in ``cut``, and give their windows one by one."""
        for _, text, spans in batch:
            cut.append(self._prepared(text, split(text) if spans is None else spans))
            yield from cut[-1].windows

    def prepare(self, text: str, sentences: Boundaries | None = None) -> Prepared:
        """Cut an article up: the step of ``classify`` before the engine, for callers who mix articles in their own way.

        Args:
            text: An article.
            sentences: The caller's own sentence boundaries, as for ``classify``.

        Returns:
            The article with its windows, for the engine, ``read`` and ``finish``.

        """
        return self._prepared(text, split(text) if sentences is None else check_boundaries(text, sentences))

    def _prepared(self, text: str, spans: list[Boundary]) -> Prepared:
        return Prepared(text, spans, self.windower.windows(text, spans))

    def read(self, article: Prepared, window: Window, logits: Logits) -> WindowReading:
        """Find in a window what ``finish`` needs: the logits take a hundred times as much memory.

        Args:
            article: What ``prepare`` gave.
            window: One of its windows.
            logits: What the engine computed of it.

        Returns:
            What was found.

        """
        return read_window(article.text, window, logits)

    def finish(
        self,
        article: Prepared,
        found: Iterable[WindowReading],
        min_confidence: float | None = None,
        identifier: str | None = None,
    ) -> Document:
        """Turn what was read in an article's windows into a document.

        Args:
            article: What ``prepare`` gave.
            found: What ``read`` found in each of its windows.
            min_confidence: As for ``classify``.
            identifier: The article's id, or None.

        Returns:
            The document.

        """
        readings = decode(article.windows, found, self.settings)
        return assemble(identifier, article.text, article.spans, readings, self.settings, min_confidence)

    def _source(self) -> Path:
        """Find the model's folder."""
        from stance.loading import find_folder

        if self.folder is None:
            raise ValueError("this classifier was not loaded from a folder, so it has no files; save its model instead")
        return find_folder(self.folder)


def _checked(item: object, index: int) -> str:
    if not isinstance(item, str):
        raise TypeError(f"item {index} is a {type(item).__name__}; every item must be a string")
    return item


def _own_boundaries(texts: Sequence[str], sentences: object) -> list[list[Boundary]]:
    """Check the boundaries of several texts before the first of them is read."""
    if not isinstance(sentences, Iterable):
        raise TypeError(f"sentences: must be one list of pairs (start, end) a text, not {type(sentences).__name__}")
    given = list(sentences)
    if len(given) != len(texts):
        raise ValueError(f"there are {len(texts)} texts and boundaries for {len(given)}; give one list of pairs a text")
    pairs = enumerate(zip(texts, given, strict=True))
    return [check_boundaries(text, spans, f"text {index}, ") for index, (text, spans) in pairs]


def _identified(item: object, index: int) -> tuple[str | None, str]:
    if isinstance(item, str):
        return None, item
    if isinstance(item, tuple) and len(item) == 2 and all(isinstance(part, str) for part in item):
        return item
    raise TypeError(f"item {index} is {item!r:.80}; every item must be a string or an (id, text) pair of strings")


def check_confidence(min_confidence: float | None, name: str = "min_confidence") -> None:
    """Check the confidence below which sentences shall be marked.

    Args:
        min_confidence: What the caller gave.
        name: What an error message calls it.

    Raises:
        TypeError: If it is neither a number nor None.
        ValueError: If it is no probability.

    """
    if not isinstance(min_confidence, Real | None):
        raise TypeError(f"{name} must be a number between 0 and 1, not {min_confidence!r:.80}")
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise ValueError(f"{name} must lie between 0 and 1, not {min_confidence}")
