"""``stance classify``: articles in, labelled sentences out."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from stance.cli import cluster, inputs, outputs
from stance.cli.commands import add_command, named
from stance.cli.jobs import Job, partial_of, results
from stance.cli.progress import with_progress
from stance.document import LABELS

if TYPE_CHECKING:
    from stance.classifier import StanceClassifier
    from stance.cli.commands import Commands
    from stance.document import Document, Sentence

_EXAMPLES = """\
  stance classify article.txt                           a table of its sentences
  stance classify page.html --format html > marked.html
  cat article.txt | stance classify - | jq .            JSON lines where no terminal reads
  stance classify 'news/*.txt' --only denial --speaker "Ada Brook"
  stance classify articles.parquet --text-column body -o sentences.parquet
  stance classify archive.jsonl -o out.jsonl --errors-to bad.jsonl
  stance classify archive.jsonl -o out.jsonl --errors-to bad.jsonl --resume
  stance classify --ray auto 'articles/*.parquet' -o out/

Each line of JSON is one article: a labelled set, to correct and to train on.
"""


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "classify", "label every sentence of articles, and name its speaker", _EXAMPLES)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="text in UTF-8, .html, .jsonl, .csv or .parquet; a pattern such as 'news/*.txt'; - is standard input",
    )
    parser.add_argument("--model", metavar="MODEL", help="a folder or a hub id (default: the embedded model)")
    parser.add_argument("--min-confidence", type=float, metavar="P", help="mark less confident labels as abstained")

    reading = parser.add_argument_group("reading")
    reading.add_argument("--from", dest="source", choices=inputs.FORMATS, help="default: by the ending of each file")
    reading.add_argument("--text-column", default="text", metavar="NAME", help="column or key of the article (text)")
    reading.add_argument("--id-column", metavar="NAME", help="column or key of its id (id, where there is one)")

    showing = parser.add_argument_group("showing some sentences only; with --min-confidence, not the abstained ones")
    showing.add_argument("--only", action="append", choices=[str(label) for label in LABELS], help="may be repeated")
    showing.add_argument("--speaker", metavar="NAME", help="of speakers whose name or mentions have these words")

    writing = parser.add_argument_group("writing")
    writing.add_argument("-o", "--output", metavar="FILE", help=".jsonl, .csv, .html or .parquet (standard output)")
    writing.add_argument(
        "--format", choices=list(outputs.FORMATS), help="default: by FILE's ending; else table on a terminal, or jsonl"
    )
    writing.add_argument("--errors-to", metavar="FILE", help="write down what cannot be classified, and go on")
    writing.add_argument("--resume", action="store_true", help="go on with a run that was killed; needs -o FILE.jsonl")
    writing.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="on a cluster, .parquet files into the folder of -o: auto, a head node's HOST:PORT, or local",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from stance.classifier import check_confidence

    check_confidence(arguments.min_confidence, "--min-confidence")
    if arguments.ray:
        return cluster.classify(arguments)
    format = _format(arguments)
    files = inputs.expand(arguments.files)
    _check(arguments, files, format)
    records = inputs.read(files, inputs.Source(arguments.source, arguments.text_column, arguments.id_column))
    output, errors = (Path(name) if name else None for name in (arguments.output, arguments.errors_to))
    # What is no plain file, such as a named pipe, must not be replaced.
    special = output is not None and output.exists() and not output.is_file()
    if output and output.is_symlink() and not special:
        output = output.resolve()  # or else the link would be replaced, and not what it leads to
    job = Job(None if special else output, errors, format == "jsonl", arguments.resume)
    done = job.prepare()
    job.skip(records, done)
    if job.is_complete():
        if more := next(records, None):
            raise ValueError(f"{output} is complete, but the input goes on at {more.place}; name another, or delete it")
        sys.stderr.write(f"stance: {output} is complete already\n")
        return _report(job)
    answers = results(records, _load(arguments.model), arguments.min_confidence, errors is not None)
    documents = job.set_aside(answers, done)
    selected = (_selected(document, arguments) for document in documents)
    # Left to the end of the process, the thread that draws the progress could be waited for when it no longer runs.
    with (
        _stream(output if special else None, format) as stream,
        job.results_file(stream) as file,
        closing(with_progress(selected)) as watched,
    ):
        # On a terminal the output itself shows the progress.
        outputs.FORMATS[format](selected if file.isatty() else watched, file)
    return _report(job)


def _format(arguments: argparse.Namespace) -> str:
    if arguments.format:
        return str(arguments.format)
    if arguments.output:
        return outputs.format_of(arguments.output)
    return "table" if sys.stdout.isatty() else "jsonl"


def _check(arguments: argparse.Namespace, files: list[str], format: str) -> None:
    """Refuse, before anything is read or written, what cannot go well."""
    if arguments.resume and not (arguments.output and format == "jsonl"):
        raise ValueError("--resume needs -o FILE.jsonl: only JSON lines can be gone on with")
    if format == "parquet" and not arguments.output:
        raise ValueError("Parquet goes into a file; name it with -o FILE.parquet")
    written = [os.path.realpath(name) for name in (arguments.output, arguments.errors_to) if name]
    if len(set(written)) < len(written):
        raise ValueError("-o and --errors-to name the same file; name two")
    if arguments.output:
        written.append(str(partial_of(Path(written[0]))))
    for file in files:
        if file != inputs.STANDARD_INPUT and os.path.realpath(file) in written:
            raise ValueError(f"{file} would be overwritten; name another file with -o or --errors-to")


def _load(model: str | None) -> StanceClassifier:
    from stance.classifier import StanceClassifier

    return StanceClassifier.from_pretrained(model)


@contextmanager
def _stream(special: Path | None, format: str) -> Iterator[TextIO]:
    """Open what is written on where the results have no file of their own."""
    if special is not None:
        with named(str(special)), special.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    if format in ("html", "csv") and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
    with named("standard output"):
        yield sys.stdout


def _selected(document: Document, arguments: argparse.Namespace) -> Document:
    """Leave out the sentences that were not asked for."""
    if not (arguments.only or arguments.speaker):
        return document
    line = document.to_dict()
    pairs = zip(line["sentences"], document.sentences, strict=True)
    line["sentences"] = [record for record, sentence in pairs if _is_asked_for(sentence, arguments)]
    return type(document).from_dict(line)


def _is_asked_for(sentence: Sentence, arguments: argparse.Namespace) -> bool:
    if sentence.abstained or (arguments.only and sentence.label not in arguments.only):
        return False
    if not arguments.speaker:
        return True
    # Where lines are wrapped, a name may have a line break.
    name = r"\s+".join(map(re.escape, re.split(r"\s+", arguments.speaker)))
    words = re.compile(rf"(?<!\w){name}(?!\w)", re.IGNORECASE)
    return sentence.speaker is not None and any(map(words.search, (sentence.speaker.name, *sentence.speaker.aliases)))


def _report(job: Job) -> int:
    if not job.failed:
        return 0
    records = "1 record" if job.failed == 1 else f"{job.failed} records"
    sys.stderr.write(f"stance: {records} could not be classified; {job.errors} tells why\n")
    return 3
