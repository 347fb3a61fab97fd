"""brat: labelled sets as a folder of ``.txt`` and stand-off ``.ann`` files, and back."""

from __future__ import annotations

import errno
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, unquote

from stance.document import AUTHOR, LABELS, Label
from stance.integrations.corrected import Place, place_of, sentence, squeezed
from stance.labelled import Article, LabelledSetError, check_unique, validate

_ENTITIES: Mapping[str, str] = MappingProxyType({str(label).capitalize(): str(label) for label in LABELS})
_RELATIONS: Mapping[str, str] = MappingProxyType(
    {"SaidBy": "Mention", "NamedAs": "Name", "Accuses": "Accused", "CuedBy": "Cue"}
)
_BREAKS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")  # where brat ends a line, as str.splitlines does
_LONGEST_NAME = 255
_STATEMENTS = "|".join(entity for entity in _ENTITIES if entity != "None")
_CONFIGURATION = "\n".join(
    [
        "[entities]",
        *_ENTITIES,
        *_RELATIONS.values(),
        "[relations]",
        *(f"{relation}\tArg1:{_STATEMENTS}, Arg2:{entity}" for relation, entity in _RELATIONS.items()),
        "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>",
        "[events]",
        "[attributes]",
        f"Author\tArg:{_STATEMENTS}",
        "",
    ]
)


def to_ann(article: Article) -> str:
    r"""Turn the labels of an article into brat's stand-off annotation.

    Args:
        article: An article in the labelled-set format.

    Returns:
        The content of its ``.ann`` file: a text-bound annotation a sentence and a piece of evidence, relations between
        them, and the attribute ``Author`` on what the author says.

    Example:
        >>> article = {"text": "It rained.", "sentences": [
        ...     {"start": 0, "end": 10, "label": "assertion", "speaker": "author"}]}
        >>> to_ann(article).splitlines()
        ['T1\tAssertion 0 10\tIt rained.', 'A1\tAuthor T1']

    """
    text, lines = article["text"], list[str]()
    numbers: dict[tuple[str, Place], str] = {}
    relations = attributes = 0

    def mark(entity: str, place: Place) -> str:
        if (entity, place) not in numbers:
            numbers[entity, place] = f"T{len(numbers) + 1}"
            fragments = _fragments(text, *place)
            offsets = ";".join(f"{start} {end}" for start, end in fragments)
            # brat drops an annotation whose words are not exactly those of the text, with a space between fragments.
            words = _BREAKS.sub(" ", " ".join(text[start:end] for start, end in fragments))
            lines.append(f"{numbers[entity, place]}\t{entity} {offsets}\t{words}")
        return numbers[entity, place]

    for record in article["sentences"]:
        own = mark(record["label"].capitalize(), (record["start"], record["end"]))
        if record.get("speaker") == AUTHOR:
            attributes += 1
            lines.append(f"A{attributes}\tAuthor {own}")
        for relation, place in _evidence(text, record):
            relations += 1
            lines.append(f"R{relations}\t{relation} Arg1:{own} Arg2:{mark(_RELATIONS[relation], place)}")
    return "".join(f"{line}\n" for line in lines)


def from_ann(text: str, ann: str, place: str = "annotation") -> list[dict[str, Any]]:
    """Turn brat's stand-off annotation back into sentences of a labelled set.

    Args:
        text: The content of the ``.txt`` file.
        ann: The content of the ``.ann`` file; notes, and whatever else this module does not write, are left alone.
        place: What an error message calls it.

    Returns:
        The sentences in order.

    Raises:
        LabelledSetError: If a line is broken, or does not fit the text; the message says which.

    """
    marks, links, by_author = _parse(text, ann, place)

    def linked(key: str, relation: str) -> list[Place]:
        return [marks[other][1] for other in links[key][relation] if other in marks]

    def record(key: str) -> dict[str, Any]:
        entity, span = marks[key]
        evidence = [linked(key, relation) for relation in ("SaidBy", "Accuses", "CuedBy")]
        if any(len(found) > 1 for found in evidence):
            message = f"{place}: {key} is linked with two mentions, accused or cues; keep one of each"
            raise LabelledSetError(message)
        names = [text[slice(*name)] for name in linked(key, "NamedAs")]
        if key in by_author and _ENTITIES[entity] != Label.NONE and (names or evidence[0]):
            message = f"{place}: {key} has the attribute Author and a mention or name; keep one of them"
            raise LabelledSetError(message)
        mention, target, cue = (found[0] if found else None for found in evidence)
        return sentence(text, span, _ENTITIES[entity], names, mention, target, cue, key in by_author)

    own = [key for key, (entity, _) in marks.items() if entity in _ENTITIES]
    return [record(key) for key in sorted(own, key=lambda key: marks[key][1])]


def write(folder: str | Path, articles: Iterable[Article]) -> None:
    """Write articles into a folder that brat can open.

    Args:
        folder: The folder, made if it does not exist. It gets two files an article, named after its id, and
            ``annotation.conf``.
        articles: Articles in the labelled-set format.

    Raises:
        FileExistsError: If the folder has an article of this name already.
        UnicodeEncodeError: If an article has half a character (a lone surrogate), which no text file can hold.
        ValueError: If an id is too long for the name of a file, or two articles would have the same.

    """
    place = Path(folder)
    given = [(article.get("id") or f"article-{number:05}", article) for number, article in enumerate(articles, 1)]
    check_unique((identifier for identifier, _ in given), str(folder))
    # All that may be refused comes before the first file: half a folder would be in the way of the next try.
    contents: dict[Path, bytes] = {}
    for identifier, article in given:
        for ending, content in ((".txt", article["text"]), (".ann", to_ann(article))):
            contents[_path(place, identifier, ending)] = content.encode("utf-8")
    place.mkdir(parents=True, exist_ok=True)
    (place / "annotation.conf").write_text(_CONFIGURATION, encoding="utf-8")
    for path, content in contents.items():
        with path.open("xb") as file:
            file.write(content)


def read(folder: str | Path) -> Iterator[Article]:
    """Read the articles of a folder.

    Args:
        folder: A folder of ``.txt`` files, each with an ``.ann`` file beside it.

    Yields:
        A labelled article a pair of files, in order of their names; its id is the name.

    Raises:
        FileNotFoundError: If there is no such folder, or the annotation of a text is missing.
        LabelledSetError: If an annotation cannot be a labelled article; names file and line.

    """
    texts = sorted(Path(folder).glob("*.txt"))
    if not texts:
        raise FileNotFoundError(f"the folder {str(folder)!r} has no .txt files; name a folder of brat's")
    for path in texts:
        ann = path.with_suffix(".ann")
        try:
            text, content = path.read_bytes().decode("utf-8"), ann.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise LabelledSetError(f"{path} or {ann.name}: not UTF-8: {error}; save the file as UTF-8") from error
        article = {"id": _identifier(path.stem), "text": text, "sentences": from_ann(text, content, str(ann))}
        validate(article, str(ann))
        yield article


def _path(folder: Path, identifier: str, ending: str) -> Path:
    """Name a new file after an id."""
    name = _name(identifier) + ending
    if len(name) > _LONGEST_NAME:
        raise ValueError(
            f"the id {identifier!r:.60} makes a file name of {len(name)} bytes, more than {_LONGEST_NAME}, which most "
            "systems refuse; give the article a shorter id"
        )
    if (folder / name).exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / name))
    return folder / name


def _name(identifier: str) -> str:
    """Turn an id into the name of a file: nothing in it leads out of the folder, or hides the file."""
    # brat's page would resolve percent signs, and then look for another file.
    return quote(identifier, safe=" ,()'").replace(".", "%2E").replace("~", "%7E").replace("%", "~")


def _identifier(name: str) -> str:
    return re.sub(r"(?:~[0-9A-F]{2})+", lambda escaped: unquote(escaped[0].replace("~", "%")), name)


def _evidence(text: str, record: Mapping[str, Any]) -> Iterator[tuple[str, Place]]:
    speaker = record.get("speaker")
    source = speaker if isinstance(speaker, Mapping) else {}
    spans = {"SaidBy": source.get("mention"), "Accuses": record.get("target"), "CuedBy": record.get("cue")}
    yield from ((relation, place) for relation, span in spans.items() if (place := place_of(span)))
    for name in (source["name"], *source.get("also", ())) if source else ():
        start = text.index(name)
        yield "NamedAs", (start, start + len(name))


def _fragments(text: str, start: int, end: int) -> list[Place]:
    """Cut a span as brat does, whose annotations do not run across line breaks."""
    breaks = [found.span() for found in _BREAKS.finditer(text, start, end)]
    edges = [start, *(edge for gap in breaks if start < gap[0] and gap[1] < end for edge in gap), end]
    return list(pairwise(edges))[::2]


def _parse(
    text: str, ann: str, place: str
) -> tuple[dict[str, tuple[str, Place]], Mapping[str, Mapping[str, list[str]]], set[str]]:
    """Read what is marked, what each mark is linked with by each relation, and which sentences are the author's."""
    marks: dict[str, tuple[str, Place]] = {}
    links: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    by_author = set()
    for number, line in enumerate(ann.split("\n"), 1):
        where = f"{place}, line {number}"
        try:
            if line.startswith("T"):
                key, entity, span = _mark(text, line, where)
                marks[key] = entity, span
            elif line.startswith("R"):
                relation, first, second = line.split("\t")[1].split()
                links[first.removeprefix("Arg1:")][relation].append(second.removeprefix("Arg2:"))
            elif line.startswith("A"):
                attribute, key = line.split("\t")[1].split()[:2]
                by_author |= {key} if attribute == "Author" else set()
        except (ValueError, IndexError) as error:
            if isinstance(error, LabelledSetError):
                raise
            raise LabelledSetError(f"{where}: {line!r:.60} is no line of brat's stand-off format") from error
    return marks, links, by_author


def _mark(text: str, line: str, where: str) -> tuple[str, str, Place]:
    key, marked, words = line.rstrip("\r").split("\t", 2)
    entity, _, offsets = marked.partition(" ")
    numbers = [int(number) for fragment in offsets.split(";") for number in fragment.split(" ")]
    start, end = numbers[0], numbers[-1]
    if squeezed(text[start:end]) != squeezed(words):
        raise LabelledSetError(f"{where}: {words!r:.60} was marked, but the text has {text[start:end]!r:.60} there")
    return key, entity, (start, end)
