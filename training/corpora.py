"""Readers of the corpora: each gives training articles, whatever its own format."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stance import labelled
from stance.document import AUTHOR, LABELS, Label
from stance.matching import TITLES
from stance.sentences import split

from .configuration import ConfigurationError, Source

Offsets = tuple[int, int]

_WORD_BEFORE = re.compile(r"(?<=[\w,] )([\w'’-]+) \Z")  # within a sentence


@dataclass
class Sentence:
    """What training knows of a sentence.

    Args:
        span: Start and end in the article.
        label: Index into ``LABELS``, or None where the corpus does not tell.
        mentions: Right answers for the speaker's mention; ``AUTHOR`` for the author; None where nothing is known.
        names: Places where the speaker's fullest name stands, the best known form; None where nothing is known.
        targets: Places where the accused is named; empty where nobody is; None where nothing is known.
        evidence: The words that show a denial or an allegation; empty where nobody has marked them, or none do.

    """

    span: Offsets
    label: int | None = None
    mentions: list[Offsets] | str | None = None
    names: list[list[Offsets]] | None = None
    targets: list[list[Offsets]] | None = None
    evidence: list[Offsets] = field(default_factory=list)


@dataclass
class Article:
    """What training knows of an article.

    Args:
        text: The article.
        sentences: Its sentences in order.
        tags: For each of source, cue and content the tagged spans; None where the corpus has no tags.
        coreference: Mentions, each with the places that name the same party.

    """

    text: str
    sentences: list[Sentence]
    tags: list[list[Offsets]] | None = None
    coreference: list[tuple[Offsets, list[Offsets]]] = field(default_factory=list)


def read_labelled(
    path: Path, holdout_fold: int | None = None, tags: Path | None = None, evidence: Path | None = None
) -> list[Article]:
    """Read a labelled set.

    Args:
        path: The labelled set.
        holdout_fold: Articles of this fold are left out.
        tags: A PolNeAR file that holds attributions of some of the articles.
        evidence: A file of evidence, if it does not stand in the set itself: lines with the ``sha256`` of an article's
            text and ``sentences`` that have ``start``, ``end`` and ``evidence``.

    Returns:
        Articles with labels, evidence, mentions, names and targets.

    Raises:
        LabelledSetError: If the set is broken, or the evidence is of another article or sentence.

    """
    tagged = {line["text"]: _tags(line) for line in _articles(tags)} if tags else {}
    articles = labelled.read(path)
    if evidence:
        _add_evidence(articles, evidence)
    articles = _without_fold(articles, holdout_fold)
    return [from_labelled(article, tagged.get(article["text"])) for article in articles]


def read_standoff(path: Path, texts: Sequence[Path], holdout_fold: int | None = None) -> list[Article]:
    """Read stand-off labels and join them with the articles they were made for.

    Args:
        path: The stand-off labels.
        texts: JSON-lines files, perhaps gzipped, that hold the articles.
        holdout_fold: Articles of this fold are left out.

    Returns:
        Articles with labels, evidence, mentions, names and targets.

    """
    articles = labelled.join(path, (line for file in texts for line in _articles(file)))
    return [from_labelled(article) for article in _without_fold(articles, holdout_fold)]


def from_labelled(article: labelled.Article, tags: list[list[Offsets]] | None = None) -> Article:
    """Turn one line of a labelled set into a training article, with every place where a party is named."""
    text = article["text"]
    aliases = _aliases(article)
    return Article(text, [_labelled_sentence(text, record, aliases) for record in article["sentences"]], tags)


def read_polnear(path: Path) -> list[Article]:
    """Read PolNeAR attributions (Newell, Margolin and Ruths, 2018).

    Args:
        path: ``polnear-train.jsonl.gz``.

    Returns:
        Articles with tags, and for each sentence the source of the attribution that covers most of it.

    """
    articles = []
    for line in _articles(path):
        text = line["text"]
        sentences = [Sentence(span, mentions=_attributed(line["attributions"], span)) for span in split(text)]
        articles.append(Article(text, sentences, _tags(line)))
    return articles


def read_gum(path: Path) -> list[Article]:
    """Read coreference clusters of GUM (Zeldes, 2017): every mention with the names of its cluster.

    Args:
        path: ``gum-coref.jsonl.gz``.

    Returns:
        Articles with coreference only.

    """
    articles = []
    for line in _articles(path):
        text = line["text"]
        coreference = []
        for cluster in line["clusters"]:
            mentions = [tuple(mention) for mention in cluster["mentions"]]
            names = [mention for mention in mentions if _is_name(text[mention[0] : mention[1]])]
            if names and len(mentions) > 1:
                coreference += [(mention, names) for mention in mentions]
        articles.append(Article(text, [Sentence(span) for span in split(text)], coreference=coreference))
    return articles


def read_gap(path: Path) -> list[Article]:
    """Read ambiguous pronouns of GAP (Webster et al., 2018): each with the right one of two names.

    Args:
        path: One of the ``gap-*.tsv`` files.

    Returns:
        Articles with one pronoun each; those whose pronoun means neither name are left out.

    """
    articles = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            right = [name for name in "AB" if row[f"{name}-coref"].upper() == "TRUE"]
            if right:
                pronoun, name = (_placed(row, key) for key in ("Pronoun", right[0]))
                spans = [Sentence(span) for span in split(row["Text"])]
                articles.append(Article(row["Text"], spans, coreference=[(pronoun, [name])]))
    return articles


def read_source(source: Source, holdout_fold: int | None) -> list[Article]:
    """Read the training articles of a recipe's source, without those of a fold.

    Raises:
        ConfigurationError: If the file is one for another reader.
        stance.LabelledSetError: If it is broken.

    """
    try:
        return _read(source, holdout_fold)
    except KeyError as error:
        files = ", ".join(filter(None, (source.path, source.tags)))
        message = f"{files}: not what the reader {source.reader!r} reads, for it lacks {error}"
        raise ConfigurationError(message) from error


def _read(source: Source, holdout_fold: int | None) -> list[Article]:
    path = Path(source.path)
    if source.reader == "labelled":
        tags, evidence = (Path(file) if file else None for file in (source.tags, source.evidence))
        return read_labelled(path, holdout_fold, tags, evidence)
    if source.reader == "standoff":
        return read_standoff(path, [Path(file) for file in source.articles], holdout_fold)
    return {"polnear": read_polnear, "gum": read_gum, "gap": read_gap}[source.reader](path)


def occurrences(text: str, words: str) -> list[Offsets]:
    """Find every place where whole words stand in a text.

    Example:
        >>> occurrences("Ann, not Anna", "Ann")
        [(0, 3)]

    """
    return [match.span() for match in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", text)]


def _without_fold(articles: list[labelled.Article], fold: int | None) -> list[labelled.Article]:
    return [article for article in articles if fold is None or article.get("fold") != fold]


def _add_evidence(articles: list[labelled.Article], path: Path) -> None:
    """Add to the sentences of labelled articles the evidence that stands in a file of its own."""
    known: dict[str, list[labelled.Article]] = {}
    for article in articles:
        known.setdefault(labelled.text_hash(article["text"]), []).append(article)
    for number, line in labelled.read_lines(path):
        place = f"{path}, line {number}"
        try:
            sha256 = str(line["sha256"])
            marks = {(marked["start"], marked["end"]): marked["evidence"] for marked in line["sentences"]}
        except (KeyError, TypeError) as error:
            raise labelled.LabelledSetError(
                f"{place}: a line of evidence is a JSON object with 'sha256' and 'sentences', a list of objects with "
                "'start', 'end' and 'evidence'"
            ) from error
        if sha256 not in known:
            raise labelled.LabelledSetError(f"{place}: no article has the sha256 {sha256!r}")
        for article in known[sha256]:
            sentences = {(sentence["start"], sentence["end"]): sentence for sentence in article["sentences"]}
            for span, evidence in marks.items():
                if span not in sentences:
                    raise labelled.LabelledSetError(f"{place}: the article has no sentence at {span[0]}–{span[1]}")
                sentences[span]["evidence"] = evidence
            labelled.validate(article, place)


def _aliases(article: labelled.Article) -> dict[str, list[str]]:
    """Map each name to the capitalised forms, other than itself, by which sentences mention the party."""
    aliases: dict[str, dict[str, None]] = {}
    for record in article["sentences"]:
        speaker = record.get("speaker")
        if isinstance(speaker, dict) and speaker.get("mention"):
            mention = article["text"][speaker["mention"]["start"] : speaker["mention"]["end"]]
            forms = aliases.setdefault(speaker["name"], {})
            if mention != speaker["name"] and _is_name(mention):
                forms.setdefault(mention)
    return {name: list(forms) for name, forms in aliases.items()}


def _labelled_sentence(text: str, record: dict[str, Any], aliases: dict[str, list[str]]) -> Sentence:
    span = (record["start"], record["end"])
    sentence = Sentence(span, LABELS.index(Label(record["label"])))
    sentence.evidence = [(words["start"], words["end"]) for words in record.get("evidence", [])]
    speaker = record.get("speaker")
    if speaker == AUTHOR:
        sentence.mentions = AUTHOR
    elif speaker is not None:
        mention = speaker.get("mention")
        sentence.mentions = [(mention["start"], mention["end"])] if mention else None
        sentence.names = _places(text, speaker["name"], aliases)
    if record["label"] == Label.ALLEGATION and "target" in record:
        target = record["target"]
        sentence.targets = _places(text, text[target["start"] : target["end"]], aliases) if target else []
    return sentence


def _places(text: str, name: str, aliases: dict[str, list[str]]) -> list[list[Offsets]]:
    """List where a party is named, the fullest form first, then each alias, then the surname of a person."""
    found = [occurrences(text, form) for form in dict.fromkeys([name, *aliases.get(name, [])])]
    words = name.split()
    if 2 <= len(words) <= 3 and all(word[0].isupper() for word in words):
        found.append([place for place in occurrences(text, words[-1]) if not _is_last_of_a_name(text, place[0])])
    return [places for places in found if places]


def _is_last_of_a_name(text: str, start: int) -> bool:
    """Tell whether a surname follows a first name, so that it may be somebody else's."""
    before = _WORD_BEFORE.search(text, max(0, start - 40), start)
    return before is not None and before[1][0].isupper() and before[1].lower() not in TITLES


def _is_name(words: str) -> bool:
    parts = [
        part for part in words.split() if part.lower() not in {"of", "the", "and", "for", "de", "al", "von", "van"}
    ]
    return 0 < len(parts) <= 6 and all(part[0].isupper() for part in parts) and parts[0] not in _CAPITALISED_PRONOUNS


_CAPITALISED_PRONOUNS = {
    "I",
    "He",
    "She",
    "It",
    "They",
    "We",
    "You",
    "His",
    "Her",
    "Its",
    "Their",
    "This",
    "That",
    "My",
}


def _attributed(attributions: list[dict[str, Any]], span: Offsets) -> list[Offsets] | str | None:
    """Give the source of the attribution whose content covers most of a sentence, if it covers a third of it."""

    def covered(attribution: dict[str, Any]) -> int:
        return sum(max(0, min(end, span[1]) - max(start, span[0])) for start, end in attribution["content"])

    best = max(attributions, key=covered, default=None)
    if best is None or covered(best) * 3 < span[1] - span[0]:
        return AUTHOR
    return [tuple(best["source"][0])] if best["source"] else None


def _tags(line: dict[str, Any]) -> list[list[Offsets]]:
    keys = ("source", "cue", "content")
    return [[tuple(span) for attribution in line["attributions"] for span in attribution[key]] for key in keys]


def _placed(row: dict[str, str], key: str) -> Offsets:
    start = int(row[f"{key}-offset"])
    return start, start + len(row[key])


def _articles(path: Path) -> Iterator[dict[str, Any]]:
    return (line for _, line in labelled.read_lines(path))
