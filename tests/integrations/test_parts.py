"""Parts of Parquet files hold every row once, and what is written of them is whole."""

import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from stance.integrations.parts import Part, check_folder, clear, cut  # noqa: E402


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "articles.parquet"
    pq.write_table(pa.table({"text": [f"Article {number}." for number in range(25)]}), file, row_group_size=7)
    return file


@pytest.mark.parametrize("rows", [1, 4, 7, 10, 25, 1000])
def test_parts_hold_every_row_once_and_in_order(file, tmp_path, rows):
    parts = cut([str(file)], tmp_path / "out", ["text"], rows)
    texts = [text for part in parts for text in part.read()["text"].to_pylist()]
    assert texts == [f"Article {number}." for number in range(25)]
    assert [part.output for part in parts] == sorted(part.output for part in parts)


def test_rows_past_the_first_thousand_are_found(tmp_path):
    file = tmp_path / "long.parquet"
    pq.write_table(pa.table({"text": [str(number) for number in range(2500)]}), file)
    parts = cut([str(file)], tmp_path, [])
    assert [part.read()["text"].to_pylist() for part in parts] == [
        [str(number) for number in range(first, min(first + 1000, 2500))] for first in (0, 1000, 2000)
    ]


@pytest.mark.parametrize(
    ("first", "rows", "groups"),
    [(0, 7, [0]), (3, 4, [0]), (7, 7, [1]), (8, 3, [1]), (5, 10, [0, 1, 2]), (13, 2, [1, 2]), (21, 4, [3])],
)
def test_a_part_is_read_from_its_row_groups_alone(file, first, rows, groups):
    metadata, damaged = pq.read_metadata(file), bytearray(file.read_bytes())
    for group in {0, 1, 2, 3} - set(groups):
        column = metadata.row_group(group).column(0)
        begin = column.dictionary_page_offset or column.data_page_offset
        damaged[begin : begin + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    file.write_bytes(damaged)
    texts = Part(str(file), first, rows, "").read()["text"].to_pylist()
    assert texts == [f"Article {number}." for number in range(first, first + rows)]


def test_a_part_is_done_when_it_is_written_whole(file, tmp_path):
    first, second, *_ = cut([str(file)], tmp_path, ["text"], 10)
    assert not first.is_done("text")
    first.write(first.read())
    assert first.is_done("text")
    assert not second.is_done("text")
    assert first.nulls() == 0


def test_what_belongs_to_another_input_is_refused(file, tmp_path):
    part = cut([str(file)], tmp_path, ["text"], 10)[0]
    part.write(part.read().slice(1))
    with pytest.raises(ValueError, match=r"000.parquet does not belong to this input: .* the 10 rows from 0 of "):
        part.is_done("text")
    part.write(pa.table({"text": [None] * 10}))
    with pytest.raises(ValueError, match="does not belong to this input: its 'text' is not that of the 10 rows"):
        part.is_done("text")
    part.write(pa.table({"body": part.read()["text"]}))
    with pytest.raises(ValueError, match="does not belong to this input"):
        part.is_done("text")


def test_a_part_of_a_longer_input_is_named(file, tmp_path):
    folder = tmp_path / "out"
    parts = cut([str(file)], folder, ["text"], 10)
    check_folder(folder, parts)
    folder.mkdir()
    parts[-1].write(parts[-1].read())
    check_folder(folder, parts)
    with pytest.raises(ValueError, match=r"articles-000000020.parquet is no part of this input; .*, move it away"):
        check_folder(folder, parts[:-1])


def test_a_writer_that_is_killed_leaves_nothing_under_the_name(file, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    folder.mkdir()
    part = cut([str(file)], folder, ["text"], 10)[0]
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        part.write(part.read())
    assert not part.is_done("text")
    clear(folder)
    assert list(folder.iterdir()) == []


def test_files_of_one_name_are_refused(file, tmp_path):
    other = tmp_path / "more" / file.name
    other.parent.mkdir()
    other.write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match="would be written to the same files"):
        cut([str(file), str(other)], tmp_path, ["text"])


def test_faults_name_the_file(file, tmp_path):
    with pytest.raises(ValueError, match=r"articles.parquet: there is no column 'body'; the columns are text"):
        cut([str(file)], tmp_path, ["body"])
    pq.write_table(pa.table({"text": ["One."], "document": ["mine"]}), file)
    with pytest.raises(ValueError, match=r"articles.parquet: there is a column 'document' already.*; rename it"):
        cut([str(file)], tmp_path, ["text"])
    file.write_bytes(b"PAR?")
    with pytest.raises(ValueError, match=r"articles.parquet: no Parquet file"):
        cut([str(file)], tmp_path, ["text"])
