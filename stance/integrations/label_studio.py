"""Label Studio: labelled sets as tasks with pre-annotations, and finished annotations as labelled sets."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from stance import __version__
from stance.document import AUTHOR
from stance.integrations.corrected import Place, sentence, squeezed
from stance.labelled import Article, LabelledSetError, validate
from stance.palette import LIGHT, MARKS

_EVIDENCE = ("mention", "target", "cue")
_NOT_DATA = frozenset({"sentences", "schema"})


def interface() -> str:
    """Return the labelling interface that the tasks are made for, as XML to paste into a project's settings.

    Example:
        >>> interface().splitlines()[0]
        '<View>'

    """
    return "\n".join(
        [
            "<View>",
            # Stays in sight, over the arrows too, while the article scrolls.
            '  <View style="position: sticky; top: 0; z-index: 101;',
            '    margin-bottom: 20px; background: var(--color-neutral-background, white)">',
            '    <Labels name="label" toName="text" choice="single">',
            *(_choice(label, mark.light) for label, mark in MARKS.items()),
            "    </Labels>",
            '    <Labels name="evidence" toName="text" choice="single">',
            *(_choice(role, LIGHT.quiet) for role in _EVIDENCE),
            "    </Labels>",
            '    <TextArea name="speaker" toName="text" perRegion="true" whenTagName="label" editable="true"',
            '      maxSubmissions="9" placeholder="author, or the fullest name in the article; others below it"/>',
            "  </View>",
            '  <Text name="text" value="$text" granularity="word"/>',
            "</View>",
            "",
        ]
    )


def to_task(article: Article) -> dict[str, Any]:
    """Turn a labelled or predicted article into a task with a pre-annotation.

    Args:
        article: An article in the labelled-set format.

    Returns:
        A task to import: the text and the article's other keys as ``data``, its labels as a prediction.

    Raises:
        ValueError: If a source is called "author", which in a task is the author.

    """
    text, sentences = article["text"], article["sentences"]
    prediction: dict[str, Any] = {
        "model_version": f"stance {__version__}",
        "result": list(chain.from_iterable(_regions(text, index, one) for index, one in enumerate(sentences))),
    }
    sure = [one["confidence"] for one in sentences if one.get("confidence") is not None]
    if sure:
        prediction["score"] = sum(sure) / len(sure)
    data = {key: value for key, value in article.items() if key not in _NOT_DATA and value is not None}
    return {"data": data, "predictions": [prediction]}


def from_task(task: Mapping[str, Any], place: str = "task") -> Article | None:
    """Turn a finished task back into a labelled article.

    Args:
        task: A task of Label Studio's JSON export.
        place: What an error message calls it.

    Returns:
        The article, labelled as the annotation says; of several annotations, as the one marked as ground truth, or
        else the last. None if there is none that was not skipped.

    Raises:
        LabelledSetError: If the annotation cannot be a labelled article; the message says why.

    """
    try:
        done = [one for one in task.get("annotations", ()) if not one.get("was_cancelled")]
        if not done:
            return None
        chosen = next((one for one in done if one.get("ground_truth")), done[-1])
        data = task["data"]
        article = {**data, "sentences": _sentences(data["text"], chosen["result"], place)}
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        message = f"{place}: not a task of the labelling interface that stance writes ({error!r})"
        raise LabelledSetError(message) from error
    validate(article, place)
    return article


def write(path: str | Path, articles: Iterable[Article]) -> None:
    """Write articles as a file of tasks, and beside it, as ``.xml``, the labelling interface.

    Args:
        path: The file of tasks, ``.json``.
        articles: Articles in the labelled-set format.

    Raises:
        ValueError: If the file of tasks is to be called ``.xml`` itself, or an article is one that ``to_task`` refuses.

    """
    beside = interface_path(path)
    Path(path).write_text(json.dumps([to_task(article) for article in articles], indent=1), encoding="utf-8")
    beside.write_text(interface(), encoding="utf-8")


def interface_path(path: str | Path) -> Path:
    """Say where the labelling interface goes for a file of tasks.

    Args:
        path: The file of tasks.

    Returns:
        The file beside it.

    Raises:
        ValueError: If that is the same file.

    """
    if Path(path).suffix.lower() == ".xml":
        raise ValueError(f"{path}: the labelling interface would overwrite the tasks; name them .json")
    return Path(path).with_suffix(".xml")


def read(path: str | Path) -> Iterator[Article]:
    """Read the finished tasks of a JSON export.

    Args:
        path: The file.

    Yields:
        A labelled article a task; tasks without a finished annotation are left out with a warning.

    Raises:
        LabelledSetError: If the file is no such export, or an annotation cannot be a labelled article.

    """
    try:
        tasks = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise LabelledSetError(f"{path}: broken JSON: {error}") from error
    if not isinstance(tasks, list) or not all(isinstance(task, Mapping) for task in tasks):
        raise LabelledSetError(f"{path}: not a list of tasks; export the project as JSON, not JSON-MIN")
    left_out = 0
    for number, task in enumerate(tasks, 1):
        article = from_task(task, f"{path}, task {task.get('id', number)}")
        if article is None:
            left_out += 1
        else:
            yield article
    if left_out:
        warnings.warn(f"{path}: {left_out} of {len(tasks)} tasks have no finished annotation", stacklevel=2)


def _choice(name: str, colour: str) -> str:
    return f'      <Label value="{name}" background="{colour}"/>'


def _regions(text: str, index: int, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Draw a sentence and its evidence, and link them."""
    number = f"s{index}"
    speaker = record.get("speaker")
    source = speaker if isinstance(speaker, Mapping) else {}
    region = _region(text, number, "label", record["label"], record)
    yield region if record.get("confidence") is None else {**region, "score": record["confidence"]}
    if source.get("name") == AUTHOR:
        raise ValueError(
            f"{_where(text, (record['start'], record['end']), 'article')}: a source is called 'author', which in Label "
            "Studio is the author of the article; correct it in brat, which tells them apart"
        )
    if speaker:
        others = source.get("also", ()) if source else filter(None, [record.get("speaker_also")])
        names = [source.get("name", AUTHOR), *others]
        value = {"start": record["start"], "end": record["end"], "text": names}
        yield {"id": number, "from_name": "speaker", "to_name": "text", "type": "textarea", "value": value}
    spans = {"mention": source.get("mention"), "target": record.get("target"), "cue": record.get("cue")}
    for role, span in spans.items():
        if span:
            yield _region(text, f"{number}-{role}", "evidence", role, span)
            yield {"type": "relation", "from_id": number, "to_id": f"{number}-{role}", "direction": "right"}


def _region(text: str, number: str, name: str, label: str, span: Mapping[str, int]) -> dict[str, Any]:
    start, end = span["start"], span["end"]
    value = {"start": start, "end": end, "text": text[start:end], "labels": [label]}
    return {"id": number, "from_name": name, "to_name": "text", "type": "labels", "value": value}


def _sentences(text: str, result: list[dict[str, Any]], place: str) -> list[dict[str, Any]]:
    regions = {one["id"]: one for one in result if one["type"] == "labels"}
    places = {key: _place(text, one["value"], place) for key, one in regions.items()}
    names = {one["id"]: one["value"]["text"] for one in result if one.get("from_name") == "speaker"}
    found = {key: dict[str, Place]() for key, one in regions.items() if one["from_name"] == "label"}
    for key, role, owner in _owned(result, regions, places, place):
        if role in found[owner]:
            raise LabelledSetError(f"{_where(text, places[owner], place)}: has two {role}s; keep one")
        found[owner][role] = places[key]
    records = []
    for key in sorted(found, key=places.__getitem__):
        label = regions[key]["value"]["labels"][0]
        named = [names[key]] if isinstance(names.get(key), str) else [name for name in names.get(key, ()) if name]
        by_author = named[:1] == [AUTHOR]
        if by_author and named[2:]:
            where = _where(text, places[key], place)
            raise LabelledSetError(f"{where}: beside author one name may be right too, not {named[1:]}; keep one")
        mention, target, cue = (found[key].get(role) for role in _EVIDENCE)
        records.append(sentence(text, places[key], label, named[by_author:], mention, target, cue, by_author))
    return records


def _where(text: str, span: Place, place: str) -> str:
    return f"{place}, sentence {text[slice(*span)]!r:.60}"


def _owned(
    result: list[dict[str, Any]], regions: Mapping[str, Any], places: Mapping[str, Place], place: str
) -> Iterator[tuple[str, str, str]]:
    """Find the sentences of each piece of evidence: those it is linked with, or else the one it stands in."""
    links = [(one["from_id"], one["to_id"]) for one in result if one["type"] == "relation"]
    both = {pair for a, b in links for pair in ((a, b), (b, a))}
    owners = [key for key, one in regions.items() if one["from_name"] == "label"]
    for key, one in regions.items():
        if one["from_name"] != "evidence":
            continue
        start, end = places[key]
        mine = [owner for owner in owners if (owner, key) in both]
        mine = mine or [owner for owner in owners if places[owner][0] <= start and end <= places[owner][1]]
        if not mine:
            words = one["value"].get("text", "")
            raise LabelledSetError(f"{place}: the {one['value']['labels'][0]} {words!r} is linked with no sentence")
        for owner in mine:
            yield key, one["value"]["labels"][0], owner


def _place(text: str, value: Mapping[str, Any], place: str) -> Place:
    """Take over a region's place, once it is sure that it means the words that were marked."""
    start, end, words = value["start"], value["end"], value.get("text")
    if words is None or squeezed(text[start:end]) == squeezed(words):
        return start, end
    # Older versions of Label Studio count UTF-16 units, as JavaScript does.
    units = text.encode("utf-16-le", "surrogatepass")
    before, marked = (units[2 * a : 2 * b].decode("utf-16-le", "replace") for a, b in ((0, start), (start, end)))
    if squeezed(marked) == squeezed(words):
        return len(before), len(before) + len(marked)
    raise LabelledSetError(f"{place}: {words!r:.60} was marked at {start}–{end}, but {text[start:end]!r:.60} is there")
