"""The command from the outside: what it prints, what it writes, and what it says of bad input."""

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import stance
from stance.cli import main
from stance.document import Document
from stance.labelled import read, write

ADA = "Ada denied it."


class FakeClassifier:
    """Takes a whole text for one sentence, which its author denies with 70%."""

    def stream(self, texts, *, min_confidence=None):
        for item in texts:
            identifier, text = item if isinstance(item, tuple) else (None, item)
            record = {"start": 0, "end": len(text), "label": "denial", "speaker": "author", "confidence": 0.7}
            record |= {
                "scores": {"denial": 0.7, "none": 0.3, "assertion": 0.0, "allegation": 0.0},
                "abstained": (min_confidence or 0) > 0.7,
            }
            yield Document.from_dict({"id": identifier, "text": text, "sentences": [record] if text else []})


@pytest.fixture(autouse=True)
def loaded(monkeypatch):
    """Put the fake in place of every model, and record which were asked for."""
    models = []

    def from_pretrained(model=None, *, device=None):
        models.append(model)
        return FakeClassifier()

    monkeypatch.setattr("stance.classifier.StanceClassifier.from_pretrained", from_pretrained)
    return models


@pytest.fixture
def run(capsys):
    """Run a command that shall succeed and give back what it printed."""

    def run(*argv):
        assert main([str(argument) for argument in argv]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return run


@pytest.fixture
def fail(capsys):
    """Run a command that shall fail and give back its one line of complaint."""

    def fail(*argv):
        try:
            code = main([str(argument) for argument in argv])
        except SystemExit as exit:
            code = exit.code
        out, err = capsys.readouterr()
        assert code == 2
        assert out == ""
        assert err.startswith("stance: error: ")
        assert err.count("\n") == 1
        return err

    return fail


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "ada.txt"
    path.write_text(ADA, encoding="utf-8")
    return path


@pytest.fixture
def labelled_file(tmp_path, articles):
    path = tmp_path / "gold.jsonl"
    write(path, articles)
    return path


def documents(out):
    return [Document.from_dict(json.loads(line)) for line in out.splitlines()]


def type_in(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


def test_classify_prints_json_lines_where_no_terminal_reads(run, text_file, loaded):
    (doc,) = documents(run("classify", text_file))
    assert (doc.id, doc.text, doc.sentences[0].label) == (str(text_file), ADA, "denial")
    assert loaded == [None]


def test_classify_takes_several_files_in_order(run, text_file, monkeypatch, tmp_path):
    other = tmp_path / "cole.txt"
    other.write_bytes(b"Cole left.")
    type_in(monkeypatch, "Früh.".encode())
    docs = documents(run("classify", other, "-", text_file, "--model", "somewhere"))
    assert [(doc.id, doc.text) for doc in docs] == [(str(other), "Cole left."), (None, "Früh."), (str(text_file), ADA)]


def test_classify_passes_on_model_and_confidence(run, text_file, loaded):
    (doc,) = documents(run("classify", text_file, "--model", "somewhere", "--min-confidence", "0.8"))
    assert doc.sentences[0].abstained
    assert loaded == ["somewhere"]


def test_offsets_refer_to_the_file_as_it_is(run, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffOne\r\ntwo\rthree\x85\u2028é\n".encode())
    (doc,) = documents(run("classify", path))
    assert doc.text.encode() == path.read_bytes()


def test_classify_reads_json_lines(run, tmp_path):
    path = tmp_path / "many.jsonl"
    lines = [{"id": "a", "text": "One."}, {"text": "Two.", "more": 1}, {"id": None, "text": ""}, {"text": "\ud800"}]
    path.write_text("\n\n".join(map(json.dumps, lines)), encoding="utf-8")
    docs = documents(run("classify", path))
    assert [(doc.id, doc.text) for doc in docs] == [(line.get("id"), line["text"]) for line in lines]


def test_classify_prints_a_table_on_a_terminal(run, text_file, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out = run("classify", text_file)
    assert "\x1b[" in out
    assert "- denial" in out
    assert "70%" in out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[38" not in run("classify", text_file)


def test_classify_prints_a_table_when_asked(run, text_file):
    out = run("classify", text_file, "--format", "table")
    assert "\x1b" not in out
    assert next(line for line in out.splitlines() if "70%" in line).split() == f"- denial author {ADA} 70%".split()


def test_classify_prints_one_html_page(run, text_file, tmp_path):
    odd = tmp_path / "a&b.txt"
    odd.write_text("é <b>", encoding="utf-8")
    out = run("classify", text_file, odd, "--format", "html")
    assert out.count("<!doctype html>") == out.count('<meta charset="utf-8">') == 1
    assert ADA in out
    assert "a&amp;b.txt</h2>" in out
    assert "é &lt;b&gt;" in out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "broken JSON"),
        ("7", "line 2: an article is a JSON object, not int"),
        ('{"id": "a"}', "line 2: there is no key 'text'; name another with --text-column"),
        ('{"id": 7, "text": "So."}', "line 2: 'id' must be a string, not int"),
    ],
)
def test_bad_json_lines_are_named_and_those_before_are_answered(capsys, tmp_path, line, message):
    path = tmp_path / "many.jsonl"
    path.write_text(f'{{"text": "One."}}\n{line}\n', encoding="utf-8")
    assert main(["classify", str(path)]) == 2
    out, error = capsys.readouterr()
    assert [doc.text for doc in documents(out)] == ["One."]
    assert error.startswith(f"stance: error: {path}, line 2")
    assert message in error


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"id,text\nx,caf\xe9\n", "not UTF-8"),
        ("a.csv", b"id,text\nx,Ada said, in court, no.\n", "more cells than columns"),
        ("a.csv", b'id,text\nx,"It rained.\ny,Ada left.\n', "no CSV: unexpected end of data"),
        ("a.csv", b'id,text\nx,"Nice" said Ada.\n', "no CSV"),
        ("a.csv.gz", b"no gzip", "broken gzip file"),
        ("a.txt.gz", gzip.compress(b"It rained. " * 99)[:-20], "broken gzip file"),
        ("a.jsonl.gz", b"no gzip", "broken gzip file"),
    ],
)
def test_files_that_are_broken_are_named_or_set_aside(capsys, fail, tmp_path, name, content, reason):
    path, good, bad = tmp_path / name, tmp_path / "good.txt", tmp_path / "bad.jsonl"
    path.write_bytes(content)
    good.write_text(ADA, encoding="utf-8")
    error = fail("classify", path)
    assert str(path) in error
    assert reason in error
    assert main(["classify", str(path), str(good), "--errors-to", str(bad)]) == 3
    assert [doc.text for doc in documents(capsys.readouterr().out)][-1:] == [ADA]
    (line,) = map(json.loads, bad.read_text(encoding="utf-8").splitlines())
    assert reason in line["error"]


def test_empty_cells_at_the_end_of_a_row_lose_nothing(capsys, tmp_path):
    (tmp_path / "a.csv").write_text("id,text\nx,So.,,\n", encoding="utf-8")
    assert main(["classify", str(tmp_path / "a.csv")]) == 0
    assert [(doc.id, doc.text) for doc in documents(capsys.readouterr().out)] == [("x", "So.")]


def test_an_id_that_no_record_has_is_named(fail, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "x", "text": "So."}\n', encoding="utf-8")
    assert "there is no key 'url'; name another with --id-column" in fail(
        "classify", tmp_path / "a.jsonl", "--id-column", "url"
    )


def test_zipped_pages_are_pages(capsys, tmp_path):
    pytest.importorskip("trafilatura")
    page = f"<html><body><article><p>{ADA * 20}</p></article></body></html>"
    (tmp_path / "a.html.gz").write_bytes(gzip.compress(page.encode()))
    assert main(["classify", str(tmp_path / "a.html.gz")]) == 0
    assert "<p>" not in documents(capsys.readouterr().out)[0].text


def test_an_output_that_is_a_pipe_under_another_name(tmp_path):
    (tmp_path / "a.txt").write_text(ADA, encoding="utf-8")
    read, write = os.pipe()
    (tmp_path / "out.jsonl").symlink_to(f"/proc/self/fd/{write}")
    assert main(["classify", str(tmp_path / "a.txt"), "-o", str(tmp_path / "out.jsonl")]) == 0
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as file:
        assert [doc.text for doc in documents(file.read())] == [ADA]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_files_that_are_not_utf8_are_named(fail, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"caf\xe9")
    error = fail("classify", path)
    assert str(path) in error
    assert "not UTF-8" in error


def test_standard_input_that_is_not_utf8(fail, monkeypatch):
    type_in(monkeypatch, b"caf\xe9")
    assert "standard input: not UTF-8 at byte 3" in fail("classify", "-")


def test_missing_files_are_named(fail, tmp_path):
    assert f"{tmp_path / 'no.txt'}: No such file" in fail("classify", tmp_path / "no.txt")
    assert f"{tmp_path / 'no.jsonl'}: No such file" in fail("evaluate", tmp_path / "no.jsonl")
    assert f"{tmp_path}: Is a directory" in fail("classify", tmp_path)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "the following arguments are required: COMMAND; see stance --help"),
        (["guess"], "invalid choice: 'guess'"),
        (["classify"], "the following arguments are required: FILE; see stance classify --help"),
        (["classify", "a", "--format", "pdf"], "invalid choice: 'pdf'"),
        (["classify", "a", "--min-confidence", "high"], "invalid float value: 'high'"),
        (["evaluate", "a", "--model", "b", "--baseline", "c"], "not allowed with argument"),
        (["evaluate", "a", "--baseline", "majority"], "--baseline and --train go together"),
        (["evaluate", "a", "--train", "b"], "--baseline and --train go together"),
        (["evaluate", "a", "--predictions", "./a"], "--predictions would overwrite the labelled set a"),
    ],
)
def test_bad_usage(fail, argv, message):
    assert message in fail(*argv)


def test_evaluate_prints_every_metric(run, labelled_file):
    out = run("evaluate", labelled_file)
    assert "macro-F1" in out
    assert "2 articles, 6 sentences" in out
    assert "gold allegation/Cole Reed, predicted denial/author" not in out


def test_evaluate_lists_errors(run, labelled_file):
    assert "gold allegation/Cole Reed, predicted denial/author (0.70)" in run("evaluate", labelled_file, "--errors", 9)


def test_evaluate_prints_json(run, labelled_file):
    figures = json.loads(run("evaluate", labelled_file, "--json"))
    assert figures["metrics"]["label accuracy"] == pytest.approx(2 / 6)
    assert figures["articles"] == 2


def test_evaluate_saves_predictions(run, labelled_file, tmp_path, articles):
    path = tmp_path / "out.jsonl.gz"
    shown = run("evaluate", labelled_file, "--predictions", path)
    assert [line["id"] for line in read(path)] == [article["id"] for article in articles]
    assert shown == run("evaluate", labelled_file)


def test_evaluate_measures_a_baseline(run, labelled_file, tmp_path, loaded):
    path = tmp_path / "out.jsonl"
    baseline = ("--baseline", "majority", "--train", labelled_file)
    figures = json.loads(run("evaluate", labelled_file, "--json", "--predictions", path, *baseline))
    assert figures["metrics"]["label accuracy"] == pytest.approx(2 / 6)
    assert {record["label"] for line in read(path) for record in line["sentences"]} <= {"assertion", "denial"}
    assert loaded == []


def test_evaluate_explains_bad_sets(fail, tmp_path, articles):
    path = tmp_path / "bad.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    assert f"{path}, line 1: 'text' must be a string" in fail("evaluate", path)
    write(path, [articles[0], {**articles[1], "id": None}])
    assert f"article 1 of {path} has no id" in fail("evaluate", path)
    write(path, articles)
    assert "unknown baseline 'magic'" in fail("evaluate", path, "--baseline", "magic", "--train", path)


@pytest.fixture
def trained(monkeypatch):
    """Put a fake in place of the training loop, and record what it is given."""
    recipes = []

    def train(recipe):
        recipes.append(recipe)
        return "runs/final"

    for name in ("stance.training.train", "training.train"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(train=train))
    return recipes


def test_train_runs_a_recipe(run, trained, tmp_path, labelled_file):
    config = tmp_path / "recipe.yaml"
    config.write_text(
        f"output: runs\nmodel: default\nseed: 7\nevaluation: {labelled_file}\n"
        "stages: [{name: only, epochs: 1, learning_rate: 0.001, sources: []}]\n"
    )
    assert run("train", config) == "the model is in runs/final\n"
    assert [recipe.seed for recipe in trained] == [7]


def test_train_lists_all_that_is_wrong_with_a_recipe(fail, trained, tmp_path):
    config = tmp_path / "recipe.yaml"
    config.write_text("output: runs\nmodel: default\nsed: 7\n")
    error = fail("train", config)
    assert all(part in error for part in (str(config), "stages: ", "evaluation: ", "sed: "))
    assert trained == []


def test_train_says_where_the_training_code_is_missing(fail, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("stance.cli.commands.__file__", str(tmp_path / "stance" / "cli" / "commands.py"))
    assert "lacks the training code; reinstall stance" in fail("train", "recipe.yaml")


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"stance {stance.__version__}\n"


def python(*argv):
    """Start a new interpreter that finds the package and this file."""
    places = os.pathsep.join([str(Path(stance.__file__).parents[1]), str(Path(__file__).parent)])
    return subprocess.Popen(
        [sys.executable, *argv],
        env={**os.environ, "PYTHONPATH": places},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_help_imports_nothing_heavy():
    code = "import sys, stance.cli\ntry: stance.cli.main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    out, err = python("-c", code).communicate()
    assert "usage: stance" in out
    assert err == ""
    assert {"torch", "transformers", "numpy", "rich", "sklearn", "pandas"}.isdisjoint(out.splitlines()[-1].split())


def test_python_m_stance_is_the_command():
    out, _ = python("-m", "stance", "--version").communicate()
    assert out == f"stance {stance.__version__}\n"


def test_a_reader_may_leave_early(tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text(f'{{"text": "{ADA * 50}"}}\n' * 2000, encoding="utf-8")
    code = (
        "import sys; from test_cli import FakeClassifier; from stance.classifier import StanceClassifier\n"
        "StanceClassifier.from_pretrained = lambda model: FakeClassifier()\n"
        "from stance.cli import main; sys.exit(main())"
    )
    process = python("-c", code, "classify", str(path))
    assert ADA in process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 1


def test_ctrl_c_ends_without_a_word(monkeypatch, capsys, text_file):
    def interrupted(self, texts, *, min_confidence=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeClassifier, "stream", interrupted)
    assert main(["classify", str(text_file)]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_link_is_followed_and_not_replaced(text_file, tmp_path):
    (tmp_path / "out.jsonl").symlink_to("real.jsonl")
    assert main(["classify", str(text_file), "-o", str(tmp_path / "out.jsonl")]) == 0
    assert (tmp_path / "out.jsonl").is_symlink()
    assert [doc.text for doc in documents((tmp_path / "real.jsonl").read_text(encoding="utf-8"))] == [ADA]


def test_two_stars_reach_into_folders(run, tmp_path):
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("b/c/two.txt", "one.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert [doc.text for doc in documents(run("classify", tmp_path / "**" / "*.txt"))] == ["b/c/two.txt", "one.txt"]
