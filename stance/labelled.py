"""Labelled sets: one JSON object a line, one article each, with labels, speakers and targets as offsets."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

from stance.document import AUTHOR, SCHEMA, Label

Article = dict[str, Any]
"""One line of a labelled set, as plain JSON types."""


class LabelledSetError(ValueError):
    """A labelled set breaks the format; the message says where, what is wrong and what would be right."""


def read(path: str | Path) -> list[Article]:
    """Read and validate a labelled set.

    Args:
        path: A ``.jsonl`` file, or ``.jsonl.gz``.

    Returns:
        Its articles in the order of the file.

    Raises:
        LabelledSetError: If a line is no JSON, breaks the format or repeats an id; names file and line.

    """
    articles: list[Article] = []
    first_seen: dict[str, int] = {}
    for number, article in read_lines(path):
        place = f"{path}, line {number}"
        validate(article, place)
        identifier = article.get("id")
        if identifier is not None and identifier in first_seen:
            message = f"{place}: the id {identifier!r} is already on line {first_seen[identifier]}; ids are unique"
            raise LabelledSetError(message)
        first_seen[identifier] = number
        articles.append(article)
    return articles


def write(path: str | Path, articles: Iterable[Article]) -> None:
    """Write articles as a labelled set.

    Args:
        path: The file to write, replaced if it exists: ``.jsonl``, or ``.jsonl.gz``.
        articles: Articles in the labelled-set format.

    """
    with _open(path, "wb") as file:
        for article in articles:
            # A lone surrogate has no UTF-8 form; a backslash escape is what JSON writes for it.
            file.write(f"{json.dumps(article, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace"))


def validate(article: object, place: str = "labelled article") -> None:
    """Check one article against the format.

    Args:
        article: What a line of a labelled set holds.
        place: What an error message calls it, such as ``"train.jsonl, line 3"``.

    Raises:
        LabelledSetError: If anything is wrong.

    """
    if not isinstance(article, Mapping):
        raise LabelledSetError(f"{place}: an article is a JSON object, not {type(article).__name__}")
    text, sentences = article.get("text"), article.get("sentences")
    if article.get("schema", SCHEMA) != SCHEMA:
        raise LabelledSetError(f"{place}: unknown schema {article['schema']!r}; this version of stance reads {SCHEMA}")
    if not isinstance(article.get("id"), str | None):
        raise LabelledSetError(f"{place}: 'id' must be a string, not {type(article['id']).__name__}")
    if not isinstance(text, str):
        raise LabelledSetError(f"{place}: 'text' must be a string, not {type(text).__name__}")
    if not isinstance(sentences, list):
        raise LabelledSetError(f"{place}: 'sentences' must be a list, not {type(sentences).__name__}")
    previous_end = 0
    for index, sentence in enumerate(sentences):
        where = f"{place}, sentence {index}"
        if not isinstance(sentence, Mapping):
            raise LabelledSetError(f"{where}: a sentence is a JSON object, not {type(sentence).__name__}")
        start, end = _check_span(sentence, text, where)
        if start < previous_end:
            raise LabelledSetError(
                f"{where}: starts at {start}, before the end {previous_end} of the one before; "
                "sentences are in order and do not overlap"
            )
        previous_end = end
        _check_labels(sentence, text, where)
        _check_prediction(sentence, text, where)


def check_unique(identifiers: Iterable[str | None], place: str) -> None:
    """Check that no two articles have the same id.

    Args:
        identifiers: The id of each article; those without one are None.
        place: What an error message calls the articles.

    Raises:
        LabelledSetError: If one is repeated; names it.

    """
    for identifier, count in Counter(identifiers).items():
        if identifier is not None and count > 1:
            raise LabelledSetError(
                f"{place}: {count} articles have the id {identifier!r}; ids are unique: keep one, or give each its own"
            )


def detach(article: Article) -> Article:
    """Turn a labelled article into its stand-off form, which holds no word of the text.

    Args:
        article: An article in the labelled-set format, with an id.

    Returns:
        The same labels with ``sha256`` of the text in place of ``text`` and every name as offsets.

    Example:
        >>> detach({"id": "a", "text": "So.", "sentences": []})["sha256"][:8]
        '12984637'

    """
    text = article["text"]

    def offsets(name: str) -> dict[str, int]:
        start = text.index(name)
        return {"start": start, "end": start + len(name)}

    out = {key: value for key, value in article.items() if key not in ("text", "sentences")}
    out["sha256"] = text_hash(text)
    out["sentences"] = [_with_names(sentence, offsets) for sentence in article["sentences"]]
    return out


def join(standoff: str | Path, articles: Iterable[Mapping[str, Any]]) -> list[Article]:
    """Join stand-off labels with the articles they were made for.

    Args:
        standoff: A ``.jsonl`` file of stand-off lines.
        articles: Objects with a ``text``; further keys are ignored.

    Returns:
        Whole labelled articles in the order of the stand-off file.

    Raises:
        LabelledSetError: If an article is missing, that is, no text has the line's hash; names file and line.

    """
    texts = {text_hash(article["text"]): article["text"] for article in articles}
    joined: list[Article] = []
    for number, line in read_lines(standoff):
        place = f"{standoff}, line {number}"
        if not isinstance(line, Mapping) or not isinstance(line.get("sentences"), list):
            raise LabelledSetError(f"{place}: a stand-off line is a JSON object with 'sha256' and 'sentences'")
        text = texts.get(str(line.get("sha256")))
        if text is None:
            raise LabelledSetError(
                f"{place}: no article has the sha256 {line.get('sha256')!r}; "
                "give the articles that were labelled, unchanged"
            )
        article = _with_text(line, text, place)
        validate(article, place)
        joined.append(article)
    return joined


def read_lines(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Read a file of JSON lines, perhaps gzipped.

    Args:
        path: A ``.jsonl`` file, or ``.jsonl.gz``.

    Yields:
        The number of each line that is not blank, from 1, and what it holds.

    Raises:
        LabelledSetError: If a line is not UTF-8 or no JSON; names file and line.

    """
    with _open(path, "rb") as file:
        for number, line in raw_lines(file, path):
            yield number, parse_line(line, f"{path}, line {number}")


def raw_lines(file: Iterable[bytes], name: str | Path) -> Iterator[tuple[int, bytes]]:
    """Read lines without looking at what they hold.

    Args:
        file: An open file of bytes, perhaps gzipped.
        name: What an error message calls it.

    Yields:
        The number of each line that is not blank, from 1, and the line without the mark that some programs put first.

    Raises:
        LabelledSetError: If the file is broken gzip; names file and line.

    """
    number = 0
    try:
        for number, line in enumerate(file, 1):  # an error names the last line that was read
            own = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if own.strip():
                yield number, own
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LabelledSetError(f"{name}, after line {number}: broken gzip file: {error}; fetch it again") from error


def parse_line(line: bytes, place: str) -> object:
    """Read one line of JSON.

    Args:
        line: The line.
        place: What an error message calls it.

    Returns:
        What it holds.

    Raises:
        LabelledSetError: If it is not UTF-8 or no JSON.

    """
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise LabelledSetError(f"{place}: not UTF-8: {error}; save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise LabelledSetError(f"{place}: broken JSON: {error}; each line is one object") from error


def _open(path: str | Path, mode: Literal["rb", "wb"]) -> gzip.GzipFile | BinaryIO:
    return gzip.open(path, mode) if str(path).endswith(".gz") else Path(path).open(mode)


def _with_text(line: Mapping[str, Any], text: str, place: str) -> Article:
    """Put the text back into a stand-off line; whatever is no name is left for ``validate`` to judge."""
    article = {**{key: value for key, value in line.items() if key != "sha256"}, "text": text}
    article["sentences"] = list(line["sentences"])
    for index, sentence in enumerate(line["sentences"]):
        if isinstance(sentence, Mapping):
            words = partial(_words, text, f"{place}, sentence {index}, a name")
            article["sentences"][index] = _with_names(sentence, words)
    return article


def _words(text: str, where: str, span: object) -> str:
    start, end = _check_span(span, text, where)
    return text[start:end]


def _with_names(sentence: Mapping[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    """Copy a sentence with its speaker's names converted."""
    record = dict(sentence)
    if "speaker_also" in record:
        record["speaker_also"] = convert(record["speaker_also"])
    if isinstance(record.get("speaker"), Mapping):
        speaker = {**record["speaker"], "name": convert(record["speaker"].get("name"))}
        if isinstance(speaker.get("also"), list):
            speaker["also"] = [convert(name) for name in speaker["also"]]
        record["speaker"] = speaker
    return record


def text_hash(text: str) -> str:
    """Hash a text, as stand-off lines name theirs: SHA-256 of its UTF-8.

    Example:
        >>> text_hash("So.")[:8]
        '12984637'

    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_span(span: object, text: str, where: str) -> tuple[int, int]:
    if not isinstance(span, Mapping):
        raise LabelledSetError(f"{where}: a span is an object with 'start' and 'end', not {type(span).__name__}")
    start, end = span.get("start"), span.get("end")
    if not (type(start) is int and type(end) is int):
        raise LabelledSetError(f"{where}: 'start' and 'end' must be whole numbers, not {start!r} and {end!r}")
    if not 0 <= start < end <= len(text):
        message = (
            f"{where}: the span {start}–{end} must satisfy 0 <= start < end <= {len(text)}, the length of the text"
        )
        raise LabelledSetError(message)
    return start, end


def _check_labels(sentence: Mapping[str, Any], text: str, where: str) -> None:
    label, speaker = sentence.get("label"), sentence.get("speaker")
    if label not in [known.value for known in Label]:
        known = ", ".join(known.value for known in Label)
        raise LabelledSetError(f"{where}: unknown label {label!r}; it must be one of {known}")
    if label == Label.NONE:
        if speaker is not None:
            raise LabelledSetError(f"{where}: a sentence labelled 'none' has no speaker; remove 'speaker'")
    elif isinstance(speaker, Mapping):
        _check_source(speaker, text, where)
    elif speaker != AUTHOR:
        raise LabelledSetError(
            f"{where}: 'speaker' must be \"author\" or an object with name and mention, not {speaker!r}"
        )
    if "speaker_also" in sentence:
        _check_name(sentence["speaker_also"], text, where)
    if sentence.get("target") is not None:
        if label != Label.ALLEGATION:
            raise LabelledSetError(f"{where}: only an allegation has a 'target', this is labelled {label!r}")
        _check_span(sentence["target"], text, f"{where}, target")
    _check_evidence(sentence, text, where)


def _check_evidence(sentence: Mapping[str, Any], text: str, where: str) -> None:
    evidence = sentence.get("evidence", [])
    if not isinstance(evidence, list):
        raise LabelledSetError(f"{where}: 'evidence' must be a list of spans, not {evidence!r}; remove it if unknown")
    if evidence and sentence["label"] not in (Label.DENIAL, Label.ALLEGATION):
        raise LabelledSetError(f"{where}: only denials and allegations have 'evidence', this is {sentence['label']!r}")
    for words in evidence:
        start, end = _check_span(words, text, f"{where}, evidence")
        if start < sentence["start"] or end > sentence["end"]:
            raise LabelledSetError(f"{where}, evidence: the span {start}–{end} must lie within the sentence")


def _check_source(speaker: Mapping[str, Any], text: str, where: str) -> None:
    also = speaker.get("also", [])
    if not isinstance(also, list):
        raise LabelledSetError(f"{where}: 'also' must be a list of names, not {also!r}; remove it if there are none")
    for name in (speaker.get("name"), *also):
        _check_name(name, text, where)
    if speaker.get("mention") is not None:
        _check_span(speaker["mention"], text, f"{where}, mention")


def _check_name(name: object, text: str, where: str) -> None:
    if not isinstance(name, str) or not name or name not in text:
        message = f"{where}: the speaker's name {name!r} does not stand in the text; copy it exactly from the article"
        raise LabelledSetError(message)


def _check_prediction(sentence: Mapping[str, Any], text: str, where: str) -> None:
    """Check the keys that only predictions have."""
    if not isinstance(sentence.get("abstained", False), bool):
        raise LabelledSetError(f"{where}: 'abstained' must be true or false, not {sentence['abstained']!r}")
    if sentence.get("cue") is not None:
        _check_span(sentence["cue"], text, f"{where}, cue")
    scores = sentence.get("scores")
    known = {label.value for label in Label}
    if scores is not None and not (isinstance(scores, Mapping) and set(scores) == known):
        raise LabelledSetError(f"{where}: 'scores' must be an object with the keys {', '.join(sorted(known))}")
    values = [*(scores or {}).values(), sentence.get("confidence"), sentence.get("speaker_confidence")]
    for value in values:
        if value is not None and not (isinstance(value, int | float) and 0 <= value <= 1):
            raise LabelledSetError(f"{where}: a probability must lie between 0 and 1, not {value!r}")
