"""The ``stance`` command: classify articles, evaluate a model, train one, export it."""

from __future__ import annotations

import argparse
import html
import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, NoReturn, TypeVar

from stance import __version__

if TYPE_CHECKING:
    from stance.document import Document
    from stance.labelled import Article

    Commands = argparse._SubParsersAction["_Parser"]

Item = TypeVar("Item")
STANDARD_INPUT = "-"
_JSON_LINES = (".jsonl", ".jsonl.gz")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Its arguments; None takes those of the process.

    Returns:
        The exit code: 0 if all went well, 2 for bad usage or bad input, 1 if the reader of the output went away, 130
        after Ctrl-C.

    Raises:
        SystemExit: After ``--help``, ``--version`` and bad usage.

    """
    arguments = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # As the Python documentation advises: what is left in the buffer must go somewhere at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except (OSError, EOFError, ValueError, ImportError) as error:
        if arguments.debug:
            raise
        sys.stderr.write(f"stance: error: {_one_line(error)}\n")
        return 2
    return 0


class _Parser(argparse.ArgumentParser):
    """Reports bad usage on one line, as every other error."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"stance: error: {message}; see {self.prog} --help\n")


def _parser() -> _Parser:
    parser = _Parser(prog="stance", description="Say who asserts, denies or alleges what in news articles.")
    parser.add_argument("--version", action="version", version=f"stance {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where in the code an error comes from")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_classify(commands)
    _add_evaluate(commands)
    _add_train(commands)
    _add_export(commands)
    _add_serve(commands)
    return parser


def _add_classify(commands: Commands) -> None:
    about = "label every sentence of articles, and name its speaker"
    parser = commands.add_parser("classify", help=about, description=about)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="text in UTF-8, or .jsonl with 'text' and perhaps 'id' on each line; - is standard input",
    )
    parser.add_argument(
        "--format", choices=list(_WRITERS), help="default: table on a terminal, jsonl to a file or another program"
    )
    parser.add_argument("--model", help="a folder or a hub id (default: the embedded model)")
    parser.add_argument("--min-confidence", type=float, metavar="P", help="mark less confident labels as abstained")
    parser.set_defaults(run=_classify)


def _add_evaluate(commands: Commands) -> None:
    about = "measure a model or a baseline on a labelled set"
    parser = commands.add_parser("evaluate", help=about, description=about)
    parser.add_argument("set", metavar="SET", help="a labelled set, .jsonl or .jsonl.gz")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--model", help="a folder or a hub id (default: the embedded model)")
    what.add_argument("--baseline", metavar="NAME", help="majority or tfidf; needs --train")
    parser.add_argument("--train", metavar="TRAIN", help="the labelled set that the baseline learns from")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="list the N worst errors")
    parser.add_argument("--json", action="store_true", help="print JSON, with every error")
    parser.add_argument("--predictions", metavar="OUT", help="save the predicted articles as .jsonl")
    parser.set_defaults(run=_evaluate)


def _add_train(commands: Commands) -> None:
    about = "train a model"
    parser = commands.add_parser("train", help=about, description=about)
    parser.add_argument("config", metavar="CONFIG", help="a recipe such as configs/default.yaml")
    parser.set_defaults(run=_train)


def _add_export(commands: Commands) -> None:
    about = "write a model as ONNX, which runs fast and without torch"
    parser = commands.add_parser("export", help=about, description=about)
    parser.add_argument("model", metavar="MODEL", help="a folder or a hub id")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="where to write; may be the same folder")
    parser.add_argument("--int8", action="store_true", help="in 8 bits: a quarter of the size, and faster")
    parser.set_defaults(run=_export)


def _add_serve(commands: Commands) -> None:
    from stance.server.options import add_options

    about = "answer over HTTP, with a page to try it on"
    parser = commands.add_parser("serve", help=about, description=about)
    add_options(parser)
    parser.set_defaults(run=_serve)


def _classify(arguments: argparse.Namespace) -> None:
    from stance.classifier import StanceClassifier

    classifier = StanceClassifier.from_pretrained(arguments.model)
    documents = classifier.stream(_read(arguments.files), min_confidence=arguments.min_confidence)
    # On a terminal the output itself shows the progress.
    tracked = documents if sys.stdout.isatty() else _with_progress(documents)
    _WRITERS[arguments.format or ("table" if sys.stdout.isatty() else "jsonl")](tracked)


def _evaluate(arguments: argparse.Namespace) -> None:
    from stance import labelled
    from stance.evaluation import evaluate

    _check_files(arguments)
    articles = labelled.read(arguments.set)
    predicted = _predict(arguments, articles)
    if arguments.predictions:
        labelled.write(arguments.predictions, predicted)
    evaluation = evaluate(articles, arguments.predictions or predicted)
    text = json.dumps(evaluation.to_dict(), indent=2) if arguments.json else evaluation.to_text(arguments.errors)
    sys.stdout.write(f"{text}\n")


def _train(arguments: argparse.Namespace) -> None:
    recipe = _training("configuration").read_recipe(arguments.config)
    sys.stdout.write(f"the model is in {_training('train').train(recipe)}\n")


def _export(arguments: argparse.Namespace) -> None:
    file = _training("export").export(arguments.model, Path(arguments.output), int8=arguments.int8)
    sys.stdout.write(f"the graph is {file}\n")


def _serve(arguments: argparse.Namespace) -> None:
    from stance.server import serve
    from stance.server.options import Options

    serve(Options.from_arguments(arguments))


def _predict(arguments: argparse.Namespace, articles: Sequence[Article]) -> Iterable[Article]:
    for number, article in enumerate(articles):
        if not isinstance(article.get("id"), str):
            raise ValueError(f"{arguments.set}: article {number} has no id; evaluation matches articles by id")
    if arguments.baseline:
        from stance.baselines import fit_baseline
        from stance.labelled import read

        return fit_baseline(arguments.baseline, read(arguments.train)).predict(articles)
    from stance.classifier import StanceClassifier

    documents = StanceClassifier.from_pretrained(arguments.model).stream(
        (article["id"], article["text"]) for article in articles
    )
    return (document.to_dict() for document in _with_progress(documents, len(articles)))


def _check_files(arguments: argparse.Namespace) -> None:
    if bool(arguments.baseline) != bool(arguments.train):
        raise ValueError("--baseline and --train go together: a baseline learns from a labelled set")
    for read in filter(None, (arguments.set, arguments.train)):
        if arguments.predictions and Path(read).resolve() == Path(arguments.predictions).resolve():
            raise ValueError(f"--predictions would overwrite the labelled set {read}; name another file")


def _training(module: str) -> ModuleType:
    """Import a training module: from the wheel as ``stance.training``, in a checkout as the folder ``training``."""
    if importlib.util.find_spec("stance.training"):
        return importlib.import_module(f"stance.training.{module}")
    if (Path(__file__).parents[1] / "training" / "train.py").is_file():
        return importlib.import_module(f"training.{module}")
    raise ModuleNotFoundError("this installation lacks the training code; reinstall stance from its wheel")


def _read(files: Iterable[str]) -> Iterator[str | tuple[str, str]]:
    for file in files:
        if file == STANDARD_INPUT:
            yield _decode(sys.stdin.buffer.read(), "standard input")
        elif file.endswith(_JSON_LINES):
            yield from _read_json_lines(file)
        else:
            yield file, _decode(Path(file).read_bytes(), file)


def _read_json_lines(file: str) -> Iterator[str | tuple[str, str]]:
    from stance.labelled import read_lines

    for number, line in read_lines(file):
        place = f"{file}, line {number}"
        if not isinstance(line, Mapping):
            raise ValueError(f"{place}: an article is a JSON object, not {type(line).__name__}")
        text, identifier = line.get("text"), line.get("id")
        if not isinstance(text, str):
            raise ValueError(f"{place}: 'text' must be a string, not {type(text).__name__}")
        if not isinstance(identifier, str | None):
            raise ValueError(f"{place}: 'id' must be a string, not {type(identifier).__name__}")
        yield text if identifier is None else (identifier, text)


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error


def _write_tables(documents: Iterable[Document]) -> None:
    from rich.console import Console

    from stance.display import to_table

    console = Console()
    for document in documents:
        console.print(to_table(document, console.width))


def _write_lines(documents: Iterable[Document]) -> None:
    for document in documents:
        sys.stdout.write(f"{document.to_json()}\n")


def _write_html(documents: Iterable[Document]) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stdout.write('<!doctype html><meta charset="utf-8"><title>Stance</title>\n')
    for document in documents:
        heading = "" if document.id is None else f"<h2>{html.escape(document.id)}</h2>\n"
        sys.stdout.write(f"{heading}{document.to_html()}\n")


_WRITERS: Mapping[str, Callable[[Iterable[Document]], None]] = MappingProxyType(
    {"table": _write_tables, "jsonl": _write_lines, "html": _write_html}
)


def _with_progress(items: Iterable[Item], total: int | None = None) -> Iterator[Item]:
    """Show on standard error, where that is a terminal, how many articles are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), "articles", TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=not console.is_terminal
    ) as progress:
        yield from progress.track(items, total=total)


def _one_line(error: Exception) -> str:
    """Say what is wrong without a line break; of an error of the operating system, the file and the reason."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines).replace(":; ", ": ") or type(error).__name__
