"""``stance classify --ray``: what cannot go well is said before a cluster is asked for."""

import pytest

from stance.cli import main

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def articles(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"body": ["It rained.", "Ada denied it."]}), "articles.parquet")


def run(capsys, *arguments):
    code = main(["classify", "--ray", "auto", *arguments])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["articles.parquet"], "--ray needs a folder for the results"),
        (["articles.parquet", "-o", "out", "--only", "denial"], "--only does not go with --ray"),
        (["articles.parquet", "-o", "out", "--errors-to", "bad.jsonl"], "--errors-to does not go with --ray"),
        (["articles.parquet", "-o", "out", "--from", "csv"], "--from does not go with --ray"),
        (["articles.jsonl", "-o", "out"], "articles.jsonl: --ray reads .parquet files"),
        (["*.parquet", "-o", "out"], "there is no column 'text'; the columns are body"),
        (["none-*.parquet", "-o", "out"], "no file matches this pattern"),
        (["articles.parquet", "-o", "out", "--min-confidence", "2"], "--min-confidence must lie between 0 and 1"),
    ],
)
def test_what_cannot_go_well_is_refused(articles, capsys, arguments, said):
    code, error = run(capsys, *arguments)
    assert code == 2
    assert said in error
    assert error.count("\n") == 1


def test_what_an_earlier_run_has_left_is_not_mixed_up(articles, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "articles-000000000.parquet").write_bytes((tmp_path / "articles.parquet").read_bytes())
    arguments = ("articles.parquet", "--text-column", "body", "-o", "out")
    code, error = run(capsys, *arguments)
    assert code == 2
    assert "out is not empty; go on with what is there by --resume" in error


def test_a_complete_folder_needs_no_cluster(articles, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    table = pq.read_table("articles.parquet").append_column("document", pa.array(["{}", None], "string"))
    pq.write_table(table, tmp_path / "out" / "articles-000000000.parquet")
    code, error = run(capsys, "articles.parquet", "--text-column", "body", "-o", "out", "--resume")
    assert code == 3
    assert "1 of the records have no text" in error


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("articles-000000000", "articles-000000000.parquet does not belong to this input: its 'body' is not that of"),
        ("articles-000001000", "articles-000001000.parquet is no part of this input"),
    ],
)
def test_the_results_of_another_input_are_not_gone_on_with(articles, tmp_path, capsys, name, said):
    (tmp_path / "out").mkdir()
    other = pa.table({"body": ["It rained.", "Eve denied it."], "document": ["{}", "{}"]})
    pq.write_table(other, tmp_path / "out" / f"{name}.parquet")
    code, error = run(capsys, "articles.parquet", "--text-column", "body", "-o", "out", "--resume")
    assert code == 2
    assert said in error
    assert error.count("\n") == 1
