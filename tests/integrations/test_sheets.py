"""Spreadsheets: a sheet comes back with its corrections, and starts no formula."""

import csv
import io

import pytest
from hypothesis import given

from stance.document import Document
from stance.integrations.sheets import read, write
from stance.labelled import LabelledSetError
from tests.strategies import CELLS, articles


@pytest.fixture
def sheet(tmp_path, document):
    """Write the document as a sheet with changed cells, and read it back."""

    def sheet(row=0, **cells):
        file = io.StringIO(newline="")
        write([document], file)
        rows = list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))
        rows[row] |= cells
        path = tmp_path / "sheet.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as out:
            table = csv.DictWriter(out, rows[0])
            table.writeheader()
            table.writerows(rows)
        (article,) = read(path, [document.to_dict()])
        return article["sentences"]

    return sheet


@given(articles(CELLS, has_also=False, has_mentions=True))
def test_a_sheet_comes_back(tmp_path_factory, article):
    path = tmp_path_factory.mktemp("sheets") / "sheet.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write([Document.from_dict(article)], file)
    assert list(read(path, [article])) == ([article] if article["sentences"] else [])


def test_no_cell_starts_a_formula():
    text = "=cmd() -1 +2 @sum '=x 'Tis"
    places = [(0, 6), (7, 9), (10, 12), (13, 17), (18, 21), (22, 26)]
    records = [{"start": a, "end": b, "label": "none"} for a, b in places]
    file = io.StringIO(newline="")
    write([Document.from_dict({"id": "=a", "text": text, "sentences": records})], file)
    cells = [(row["id"], row["text"]) for row in csv.DictReader(io.StringIO(file.getvalue(), newline=""))]
    assert [cell for _, cell in cells] == ["'=cmd()", "'-1", "'+2", "'@sum", "''=x", "'Tis"]
    assert {identifier for identifier, _ in cells} == {"'=a"}


def test_the_null_character_which_no_sheet_has_is_replaced_in_the_sheet_alone(tmp_path):
    article = {"id": "a", "text": "It\0 rained.", "sentences": [{"start": 0, "end": 11, "label": "none"}]}
    path = tmp_path / "sheet.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write([Document.from_dict(article)], file)
    assert "\0" not in path.read_text(encoding="utf-8")
    assert [(one["text"], len(one["sentences"])) for one in read(path, [article])] == [(article["text"], 1)]


def test_lone_surrogates_which_no_file_has_are_replaced_in_the_sheet_alone(tmp_path):
    text = "Cole \ud800 denied it."
    said = {"name": "Cole \ud800", "mention": {"start": 0, "end": 6}}
    article = {"id": "a", "text": text, "sentences": [{"start": 0, "end": 17, "label": "denial", "speaker": said}]}
    with (tmp_path / "sheet.csv").open("w", encoding="utf-8", newline="") as file:
        write([Document.from_dict(article)], file)
    assert [one["sentences"] for one in read(tmp_path / "sheet.csv", [article])] == [article["sentences"]]


def test_corrections_are_taken_over(sheet):
    assert sheet(3, label=" Denial ")[3]["label"] == "denial"
    named = sheet(3, speaker="Cole Reed", mention="", mention_start="")[3]["speaker"]
    assert named == {"name": "Cole Reed", "mention": {"start": 48, "end": 57}}
    assert sheet(0, speaker="author")[0]["speaker"] == "author"
    assert sheet(2, label="assertion")[2].get("target") is None
    assert sheet(2, target="Mayor")[2]["target"] == {"start": 20, "end": 25}


def test_a_sheet_may_be_sorted_by_any_column(tmp_path, articles):
    path = tmp_path / "sheet.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        write(map(Document.from_dict, articles), file)
    head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    given = list(read(path, articles))
    path.write_text("".join([head, *rows[::-2], *rows[-2::-2]]), encoding="utf-8")
    assert list(read(path, articles)) == given[::-1]


def test_an_article_without_an_id_is_refused_before_anybody_corrects_it(document):
    file = io.StringIO(newline="")
    with pytest.raises(ValueError, match=r"article 2, 'It rained.', has no id.*; give each article an id"):
        write([document, Document("It rained.", ())], file)
    assert file.getvalue() == ""


def test_two_articles_of_one_id_are_refused_before_anybody_corrects_them(document):
    file = io.StringIO(newline="")
    with pytest.raises(ValueError, match="sheet: 2 articles have the id 'mayor'; ids are unique"):
        write([document, document], file)
    assert file.getvalue() == ""


def test_a_source_called_author_is_refused_since_a_sheet_has_one_word_for_both():
    said = {"name": "author", "mention": {"start": 4, "end": 10}}
    sentence = {"start": 0, "end": 18, "label": "denial", "speaker": said}
    article = Document.from_dict({"id": "a", "text": "The author denied.", "sentences": [sentence]})
    file = io.StringIO(newline="")
    with pytest.raises(ValueError, match=r"article 'a' has a source called 'author'.*; correct it in brat"):
        write([article], file)
    assert file.getvalue() == ""


def test_what_does_not_fit_is_named(sheet, tmp_path):
    with pytest.raises(LabelledSetError, match="row 1, mention: 'Ada Brok' does not stand in the article"):
        sheet(mention="Ada Brok")
    with pytest.raises(LabelledSetError, match=r"row 2: the article has 'Mayor Ada Brook denied it\.' there"):
        sheet(1, text="Something else")
    with pytest.raises(LabelledSetError, match="row 1: 'start' and 'end' must be whole numbers"):
        sheet(start="")
    with pytest.raises(LabelledSetError, match="no article has the id 'other'"):
        sheet(id="other")
    (tmp_path / "short.csv").write_text("id,start\n", encoding="utf-8")
    with pytest.raises(LabelledSetError, match="there is no column end, label, speaker"):
        list(read(tmp_path / "short.csv", []))
