"""On Ray, a data set and files come out whole, with the documents that a classifier gives."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from types import SimpleNamespace

import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from stance.cli import main  # noqa: E402
from stance.integrations.parts import cut  # noqa: E402
from stance.integrations.ray import Classify, ClassifyPart, classify_dataset, classify_parts  # noqa: E402

ROWS = [{"number": number, "body": f"Mayor Ada Roy denied claim {number}. It rained."} for number in range(50)]
ARTICLES = 600


def documents(table):
    return [line and json.loads(line) for line in table["document"].to_pylist()]


def test_a_batch_gets_a_document_a_row(tiny):
    rows = pa.Table.from_pylist(ROWS[:3])
    out = Classify("body", str(tiny.folder))(rows)
    assert out.drop_columns("document") == rows
    assert [document["text"] for document in documents(out)] == rows["body"].to_pylist()


def test_ids_are_kept_and_an_article_that_is_null_stays_so(tiny):
    first, null, second = documents(
        Classify("body", str(tiny.folder))(pa.table({"body": ["One.", None, "Two."], "id": [7, 8, 9]}))
    )
    assert null is None
    assert [first["id"], second["id"]] == ["7", "9"]


def test_an_id_that_is_null_changes_no_other_and_is_none(tiny):
    class Batches:
        """Stands in for a data set of one batch, in the formats that Ray gives."""

        def columns(self):
            return ["body", "id"]

        def map_batches(self, make, *, fn_constructor_args, batch_format="default", **_):
            batch = pa.table({"body": ["One.", "Two."], "id": [7, None]})
            if batch_format != "pyarrow":
                batch = {name: batch[name].to_numpy() for name in batch.column_names}
            return make(*fn_constructor_args)(batch)

    whole, null = documents(classify_dataset(Batches(), text_column="body", model=str(tiny.folder)))
    assert whole["id"] == "7"
    assert null["id"] is None


def test_a_part_is_written_with_what_a_batch_gets(tiny, tmp_path):
    rows = pa.table({"body": ["One.", None], "id": [7, None]})
    pq.write_table(rows, tmp_path / "articles.parquet")
    (part,) = cut([str(tmp_path / "articles.parquet")], tmp_path, ["body"])
    assert ClassifyPart("body", str(tiny.folder))(asdict(part)) == {"output": part.output}
    assert pq.read_table(part.output) == Classify("body", str(tiny.folder))(rows)


@pytest.mark.parametrize(("text_column", "id_column"), [("text", None), ("body", "text")])
def test_a_missing_column_is_named(tiny, text_column, id_column):
    with pytest.raises(ValueError, match="no column 'text'; the columns are body"):
        Classify(text_column, str(tiny.folder), id_column=id_column)(pa.table({"body": ["One."]}))


def test_a_column_of_the_name_of_the_results_is_refused_before_anything_is_computed(tiny):
    dataset = SimpleNamespace(columns=lambda: ["text", "document"])
    with pytest.raises(ValueError, match=r"there is a column 'document' already.*; rename it"):
        classify_dataset(dataset)
    with pytest.raises(ValueError, match="there is a column 'document' already"):
        Classify("text", str(tiny.folder))(pa.table({"text": ["One."], "document": [7]}))


@pytest.fixture(scope="module")
def cluster():
    """A cluster of a head without work and one machine; a test adds more, and may kill them."""
    pytest.importorskip("ray", reason="needs the extra ray: pip install 'stance[ray]'")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def connected(cluster):
    import ray

    ray.init(cluster.address, log_to_driver=False)
    yield ray
    ray.shutdown()


@pytest.fixture(scope="module")
def articles(tmp_path_factory):
    """200 files of 3 articles each, long enough for something to happen meanwhile."""
    folder = tmp_path_factory.mktemp("articles")
    for first in range(0, ARTICLES, 3):
        numbers = range(first, first + 3)
        texts = [f"Mayor Ada Roy denied claim {number}." + " It rained." * 60 for number in numbers]
        pq.write_table(pa.table({"number": numbers, "body": texts}), folder / f"{first:04}.parquet")
    return folder


def check_whole(folder):
    """Nothing is lost, doubled or out of order, and each article has its own document."""
    rows = [row for file in sorted(folder.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    assert [row["number"] for row in rows] == list(range(ARTICLES))
    assert all(json.loads(row["document"])["text"] == row["body"] for row in rows)


def wait_until(happened):
    """Wait for minutes, if need be: machines may be busy."""
    stop = time.monotonic() + 600
    while not happened():
        assert time.monotonic() < stop
        time.sleep(0.05)


@pytest.mark.slow
def test_a_data_set_is_classified_on_a_cluster(tiny, connected):
    dataset = connected.data.from_items(ROWS)
    out = classify_dataset(dataset, text_column="body", model=str(tiny.folder), actors=1)
    documents = {row["number"]: json.loads(row["document"]) for row in out.take_all()}
    assert {number: document["text"] for number, document in documents.items()} == {
        row["number"]: row["body"] for row in ROWS
    }


@pytest.mark.slow
def test_a_machine_that_dies_in_the_middle_loses_and_doubles_nothing(tiny, cluster, connected, articles, tmp_path):
    doomed = cluster.add_node(num_cpus=1)
    parts = cut(map(str, sorted(articles.iterdir())), tmp_path, ["body"])
    written, at_death = [], []

    def kill():
        # Both machines are at work when no processor is free.
        wait_until(lambda: written and not connected.available_resources().get("CPU"))
        cluster.remove_node(doomed, allow_graceful=False)
        at_death.append(len(written))

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    # With a fixed number of actors, one whose machine is gone would wait for another machine.
    written.extend(classify_parts(parts, text_column="body", model=str(tiny.folder), actors=(1, 2)))
    assert at_death
    assert at_death[0] < len(parts)
    assert sorted(written) == [part.output for part in parts]
    check_whole(tmp_path)


@pytest.mark.slow
def test_a_command_that_is_killed_goes_on_from_what_is_written(tiny, cluster, articles, tmp_path):
    out = tmp_path / "out"
    arguments = ["classify", "--ray", cluster.address, f"{articles}/*.parquet", "--text-column", "body"]
    arguments += ["--model", str(tiny.folder), "-o", str(out)]
    with subprocess.Popen([sys.executable, "-m", "stance", *arguments]) as process:
        wait_until(lambda: process.poll() is not None or len(list(out.glob("*.parquet"))) >= 20)
        process.kill()
    # What is under way on the cluster may end yet.
    time.sleep(5)
    before = {file: file.stat().st_mtime_ns for file in out.glob("*.parquet")}
    assert 20 <= len(before) < ARTICLES // 3
    assert main([*arguments, "--resume"]) == 0
    assert {file: file.stat().st_mtime_ns for file in before} == before
    check_whole(out)
    assert not list(out.glob(".*"))


@pytest.mark.slow
def test_what_fails_on_the_cluster_is_said_on_one_line(cluster, articles, tmp_path, capsys):
    model = tmp_path / "model"
    arguments = ["classify", "--ray", cluster.address, f"{articles}/*.parquet", "--text-column", "body"]
    assert main([*arguments, "--model", str(model), "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "there is no model folder" in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_an_address_without_a_cluster_is_named(articles, tmp_path, capsys):
    pytest.importorskip("ray", reason="needs the extra ray: pip install 'stance[ray]'")
    arguments = ["--text-column", "body", "-o", str(tmp_path / "out")]
    assert main(["classify", "--ray", "127.0.0.1:1", f"{articles}/*.parquet", *arguments]) == 2
    assert "no Ray cluster answers at '127.0.0.1:1'" in capsys.readouterr().err
