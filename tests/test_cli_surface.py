"""The command as a person uses it: what it reads, what it shows and writes, help, models and completion."""

import codecs
import csv
import io
import json
import shutil
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from stance import labelled
from stance.cli import main
from stance.document import Document
from stance.frames import COLUMNS
from stance.integrations.label_studio import to_task
from tests.test_cli import ADA, FakeClassifier


class Rehearsed(FakeClassifier):
    """Knows one article by heart."""

    document: Document

    def stream(self, texts, *, min_confidence=None):
        return (self.document for _ in texts)


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setattr("stance.classifier.StanceClassifier.from_pretrained", lambda model=None: FakeClassifier())


@pytest.fixture
def rehearsed(monkeypatch, document, tmp_path):
    """Make every model give the small article, and give back a file to classify."""
    Rehearsed.document = document
    monkeypatch.setattr("stance.classifier.StanceClassifier.from_pretrained", lambda model=None: Rehearsed())
    path = tmp_path / "mayor.txt"
    path.write_text(document.text, encoding="utf-8")
    return path


@pytest.fixture
def table(tmp_path):
    """Two articles as a Parquet file with columns of other names."""
    path = tmp_path / "articles.parquet"
    pd.DataFrame({"url": [7, 8], "body": [ADA, "Cole left."], "more": [0, 1]}).to_parquet(path)
    return path


def lines(capsys, *argv):
    assert main([str(argument) for argument in argv]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def error(capsys, *argv):
    try:
        code = main([str(argument) for argument in argv])
    except SystemExit as exit:
        code = exit.code
    assert code == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def test_parquet_in_and_out(table, tmp_path):
    out = tmp_path / "out.parquet"
    arguments = ["--text-column", "body", "--id-column", "url"]
    assert main(["classify", str(table), *arguments, "-o", str(out)]) == 0
    frame = pd.read_parquet(out)
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame["id"]) == ["7", "8"]
    assert list(frame["text"]) == [ADA, "Cole left."]
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_csv_in_and_out(tmp_path, capsys):
    path = tmp_path / "articles.csv"
    path.write_text(f'id,text\r\na,"{ADA}"\r\nb,"Two\nlines"\r\nc\r\n', encoding="utf-8-sig")
    assert main(["classify", str(path), "--format", "csv", "--errors-to", str(tmp_path / "bad.jsonl")]) == 3
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert [(row["id"], row["text"]) for row in rows] == [("a", ADA), ("b", "Two\nlines")]
    assert "row 3" in (tmp_path / "bad.jsonl").read_text(encoding="utf-8")


def test_a_broken_table_is_named(capsys, monkeypatch, tmp_path):
    path = tmp_path / "articles.csv"
    path.write_text(f'text\r\n"{ADA}"\r\n', encoding="utf-8")
    monkeypatch.setattr("stance.integrations.sheets.LONGEST_CELL", len(ADA) - 1)
    usual = csv.field_size_limit()
    try:
        assert f"{path}, after row 0: no CSV: field larger than field limit" in error(capsys, "classify", path)
    finally:
        csv.field_size_limit(usual)


def test_columns_are_named(capsys, table, tmp_path):
    message = "there is no column 'text'; name one of its columns (url, body, more) with --text-column"
    assert message in error(capsys, "classify", table)
    assert "with --id-column" in error(capsys, "classify", table, "--text-column", "body", "--id-column", "id")
    (tmp_path / "no.parquet").write_bytes(b"PAR0")
    assert "no.parquet: no Parquet file: " in error(capsys, "classify", tmp_path / "no.parquet")


def test_web_pages_are_read(capsys, tmp_path):
    pytest.importorskip("trafilatura", reason="needs the extra html")
    path = tmp_path / "page.html"
    path.write_text(f"<nav>Menu</nav><article><p>{ADA * 9}</p></article>", encoding="utf-8")
    assert [(line["id"], line["text"]) for line in lines(capsys, "classify", path)] == [(str(path), ADA * 9)]
    path.write_text("<p></p>", encoding="utf-8")
    assert f"{path}: found no article in this page" in error(capsys, "classify", path)


def test_endings_may_be_capitals(capsys, tmp_path):
    (tmp_path / "A.JSONL").write_text('{"text": "So."}\n', encoding="utf-8")
    assert [line["text"] for line in lines(capsys, "classify", tmp_path / "A.JSONL")] == ["So."]
    assert lines(capsys, "classify", tmp_path / "A.JSONL", "-o", tmp_path / "B.CSV") == []
    assert (tmp_path / "B.CSV").read_text(encoding="utf-8").startswith("id,sentence,")


def test_patterns_and_standard_input(capsys, monkeypatch, tmp_path):
    for name in ("b", "a", "[c]"):
        (tmp_path / f"{name}.txt").write_text(name, encoding="utf-8")
    texts = [line["text"] for line in lines(capsys, "classify", tmp_path / "*.txt", tmp_path / "[c].txt")]
    assert texts == ["[c]", "a", "b", "[c]"]
    assert "*.md: no file matches this pattern" in error(capsys, "classify", tmp_path / "*.md")
    monkeypatch.setattr(
        sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b'{"id": "x", "text": "So."}\n{"text": "Oh."}'))
    )
    assert [line["id"] for line in lines(capsys, "classify", "-", "--from", "jsonl")] == ["x", None]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--only", "denial"], [0, 1]),
        (["--only", "denial", "--only", "allegation"], [0, 1, 2]),
        (["--speaker", "ada brook"], [0, 1]),
        (["--speaker", "Mayor"], [0, 1]),
        (["--speaker", "Ad"], []),
        (["--only", "allegation", "--speaker", "Reed"], [2]),
        (["--only", "assertion"], []),  # the one there is has abstained
    ],
)
def test_some_sentences_only(capsys, rehearsed, document, options, kept):
    (line,) = lines(capsys, "classify", rehearsed, *options)
    assert line["text"] == document.text
    assert [one["start"] for one in line["sentences"]] == [document.sentences[index].start for index in kept]


@pytest.mark.parametrize("width", [30, 60, 200])
def test_the_table_fits_the_terminal(capsys, monkeypatch, rehearsed, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["classify", str(rehearsed), "--format", "table"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= width


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--min-confidence", "1.5"], "--min-confidence must lie between 0 and 1, not 1.5"),
        (["--resume"], "--resume needs -o FILE.jsonl"),
        (["--resume", "-o", "a.csv"], "--resume needs -o FILE.jsonl"),
        (["-o", "a.xlsx"], "a.xlsx: how to write it is not clear"),
        (["--format", "parquet"], "name it with -o FILE.parquet"),
        (["--only", "lie"], "invalid choice: 'lie'"),
        (["-o", "out.jsonl", "--errors-to", "./out.jsonl"], "name the same file"),
        (["--errors-to", "{file}"], "would be overwritten"),
    ],
)
def test_what_cannot_go_well_is_refused_at_once(capsys, rehearsed, argv, message):
    assert message in error(capsys, "classify", rehearsed, *(part.format(file=rehearsed) for part in argv))
    assert rehearsed.stat().st_size > 0


def test_debug_stands_before_or_after_the_command(tmp_path):
    for argv in (["--debug", "classify", "no.txt"], ["classify", "no.txt", "--debug"]):
        with pytest.raises(FileNotFoundError):
            main(argv)


def test_what_was_not_foreseen_is_one_line_too(capsys, monkeypatch, rehearsed):
    def broken(model=None):
        raise RuntimeError("a\nb")

    monkeypatch.setattr("stance.classifier.StanceClassifier.from_pretrained", broken)
    assert error(capsys, "classify", rehearsed) == "stance: error: RuntimeError: a; b; --debug shows where\n"


@pytest.mark.parametrize(
    "command", ["classify", "convert", "evaluate", "train", "export", "serve", "models", "completion"]
)
def test_help_has_examples(capsys, command):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"examples:\n  stance {command} " in capsys.readouterr().out


def test_models_are_listed(capsys, tiny):
    assert main(["models", str(tiny.folder)]) == 0
    default, other = capsys.readouterr().out.splitlines()
    assert default.startswith("default: bert encoder, 6 layers of 384, windows of 256 tokens, ")
    assert str(tiny.folder) in other
    assert "there is no folder 'no'" in error(capsys, "models", "no")


@pytest.mark.parametrize("content", ["{", "[]", '{"encoder": 7}'])
def test_a_model_that_is_broken_is_named(capsys, tiny, tmp_path, content):
    folder = shutil.copytree(tiny.folder, tmp_path / "model")
    (folder / "config.json").write_text(content, encoding="utf-8")
    assert main(["models", str(folder)]) == 2
    assert f"the model file {folder / 'config.json'} is broken" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shells_complete_commands_and_options(capsys, shell):
    pytest.importorskip("shtab", reason="needs the extra completion")
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("classify", "--only", "allegation", "convert"))


def test_convert_goes_both_ways(capsys, document, tmp_path):
    start = tmp_path / "out.jsonl"
    labelled.write(start, [document.to_dict()])
    gold = [
        {key: one[key] for key in ("label", "speaker", "target") if key in one}
        for one in document.to_dict()["sentences"]
    ]
    for name, options in (("brat", []), ("sheet.csv", ["--texts", start])):
        back = tmp_path / f"{name}.jsonl.gz"
        assert main(["convert", str(start), str(tmp_path / name)]) == 0
        assert main(["convert", *map(str, [tmp_path / name, back, *options])]) == 0
        (article,) = labelled.read(back)
        assert [
            {key: one[key] for key in ("label", "speaker", "target") if key in one} for one in article["sentences"]
        ] == gold
    assert (tmp_path / "sheet.csv").read_bytes().startswith(codecs.BOM_UTF8)
    assert main(["convert", str(start), str(tmp_path / "tasks.json")]) == 0
    capsys.readouterr()
    assert main(["convert", str(tmp_path / "tasks.json"), str(tmp_path / "none.jsonl")]) == 0
    assert capsys.readouterr().err.splitlines() == [
        f"stance: {tmp_path / 'tasks.json'}: 1 of 1 tasks have no finished annotation",
        f"stance: 0 articles in {tmp_path / 'none.jsonl'}",
    ]


def test_convert_explains_what_it_cannot_do(capsys, tmp_path):
    (tmp_path / "a.csv").write_text("", encoding="utf-8")
    assert "--texts names their .jsonl" in error(capsys, "convert", tmp_path / "a.csv", tmp_path / "b.jsonl")
    assert "would be overwritten" in error(capsys, "convert", "a.jsonl", "./a.jsonl")
    assert "would be overwritten" in error(capsys, "convert", "a.csv", "b.jsonl", "--texts", "b.jsonl")
    assert "say it with --from or --to" in error(capsys, "convert", "a.jsonl", "a.xlsx")
    assert "No such file" in error(capsys, "convert", tmp_path / "no.jsonl", tmp_path / "b.json")


def test_convert_writes_no_set_with_an_id_twice(capsys, document, tmp_path):
    export, corrected = tmp_path / "export.json", tmp_path / "corrected.jsonl"
    task = to_task(document.to_dict())
    export.write_text(json.dumps([{**task, "annotations": task["predictions"]}] * 2), encoding="utf-8")
    assert f"{export}: 2 articles have the id 'mayor'; ids are unique" in error(capsys, "convert", export, corrected)
    assert not corrected.exists()


def test_convert_overwrites_no_input_with_the_interface_beside_its_tasks(capsys, document, tmp_path):
    path = tmp_path / "set.xml"
    labelled.write(path, [document.to_dict()])
    before = path.read_bytes()
    for output in ("set.json", "set.xml"):
        arguments = ["convert", path, tmp_path / output, "--from", "labelled", "--to", "label-studio"]
        assert "overwrit" in error(capsys, *arguments)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_refused_conversion_leaves_its_output_as_it_was(capsys, tmp_path):
    nameless, sheet = tmp_path / "a.jsonl", tmp_path / "a.csv"
    nameless.write_text('{"text": "It rained.", "sentences": []}\n', encoding="utf-8")
    sheet.write_text("corrected", encoding="utf-8")
    assert "has no id" in error(capsys, "convert", nameless, sheet)
    assert sheet.read_text(encoding="utf-8") == "corrected"


def test_serve_takes_model_and_options(monkeypatch):
    pytest.importorskip("stance.server.app", reason="the extra web is not installed")
    asked = []
    model = SimpleNamespace(classify=lambda text: None)
    server = SimpleNamespace(run=lambda: None)
    monkeypatch.setattr("stance.classifier.StanceClassifier.from_pretrained", lambda name: asked.append(name) or model)
    monkeypatch.setattr("stance.server.app.create_server", lambda _, options: asked.append(options.port) or server)
    assert main(["serve", "--model", "somewhere", "--port", "99"]) == 0
    assert asked == ["somewhere", 99]
