"""brat: what is written comes back from the files, and broken annotations are named."""

import pytest
from hypothesis import given

from stance.integrations.brat import from_ann, read, to_ann, write
from stance.labelled import LabelledSetError
from tests.strategies import WHOLE, articles

BREAKS = [*"\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"]


@given(articles(WHOLE))
def test_annotations_come_back(article):
    assert from_ann(article["text"], to_ann(article)) == article["sentences"]


@given(articles(WHOLE))
def test_brat_would_read_every_annotation(article):
    # It cuts the file into lines as Python does, and drops an annotation whose words are not those of the text.
    text, ann = article["text"], to_ann(article)
    assert ann.splitlines() == ann.split("\n")[:-1]
    for line in ann.splitlines():
        if line.startswith("T"):
            _, marked, words = line.split("\t", 2)
            places = [map(int, fragment.split(" ")) for fragment in marked.split(" ", 1)[1].split(";")]
            fragments = [text[start:end] for start, end in places]
            if fragments[0][:1] not in BREAKS and fragments[-1][-1:] not in BREAKS:  # else nothing would be left
                assert [fragment.splitlines() for fragment in fragments] == [[fragment] for fragment in fragments]
                assert words == " ".join(fragments)


def test_a_span_is_cut_at_line_breaks_and_keeps_its_tabs():
    text = "It\r\nrained\tall\u2028day."
    ann = to_ann({"text": text, "sentences": [{"start": 0, "end": len(text), "label": "none"}]})
    assert ann == "T1\tNone 0 2;4 14;15 19\tIt rained\tall day.\n"


def test_a_folder_comes_back(tmp_path, articles):
    odd = [{**articles[1], "id": name} for name in ("../up", ".hidden", "Äpfel/1 (a)", "..", "5% ~ 7%7E?")]
    write(tmp_path / "brat", [*articles, *odd])
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path / "brat"}
    assert not any("%" in path.name for path in tmp_path.rglob("*"))  # brat could not open it
    found = {article["id"]: article for article in read(tmp_path / "brat")}
    assert found.keys() == {article["id"] for article in [*articles, *odd]}
    assert found["rain"] == articles[1]
    with pytest.raises(FileExistsError):
        write(tmp_path / "brat", [articles[0]])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"id": "ü" * 42}, "the id 'ü+' makes a file name of 256 bytes.*; give the article a shorter id"),
        ({"id": "b"}, "2 articles have the id 'b'; ids are unique"),
        ({"id": "old"}, r"File exists: .*old\.ann"),
        ({"id": "c", "text": "\ud800"}, "surrogates not allowed"),
    ],
)
def test_a_refused_article_leaves_the_folder_as_it_was(tmp_path, more, message):
    before = {"annotation.conf": b"[entities]", "old.ann": b""}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    article = {"id": "b", "text": "It rained.", "sentences": []}
    with pytest.raises((ValueError, FileExistsError), match=message):
        write(tmp_path, [article, article | more])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_source_called_author_stays_a_source():
    said = {"name": "author", "mention": {"start": 4, "end": 10}}
    article = {
        "text": "The author denied.",
        "sentences": [{"start": 0, "end": 18, "label": "denial", "speaker": said}],
    }
    assert from_ann(article["text"], to_ann(article)) == article["sentences"]


def test_a_name_that_stance_did_not_write_is_the_id(tmp_path):
    (tmp_path / "draft~1 50%.txt").write_text("It rained.", encoding="utf-8")
    (tmp_path / "draft~1 50%.ann").write_text("", encoding="utf-8")
    assert [article["id"] for article in read(tmp_path)] == ["draft~1 50%"]


def test_the_text_keeps_its_line_breaks(tmp_path):
    article = {"id": "a", "text": "One\r\ntwo\rthree\u2028\n", "sentences": []}
    write(tmp_path, [article])
    assert list(read(tmp_path)) == [article]


TEXT = "Ada denied it.\nIt rained."


@pytest.mark.parametrize(
    ("ann", "message"),
    [
        ("T1\tDenial 0 14\tAda denies it.", "line 1: 'Ada denies it.' was marked, but the text has 'Ada denied it.'"),
        ("T1\tDenial 0 x\tAda denied it.", "line 1: .* is no line of brat's"),
        ("\nT1", "line 2: 'T1' is no line of brat's"),
        ("T1\tDenial 0 3\tAda\nT2\tMention 0 3\tAda\nT3\tMention 4 10\tdenied\n"
         "R1\tSaidBy Arg1:T1 Arg2:T2\nR2\tSaidBy Arg1:T1 Arg2:T3", "T1 is linked with two"),
    ],
)  # fmt: skip
def test_broken_annotations_are_named(ann, message):
    with pytest.raises(LabelledSetError, match=message):
        from_ann(TEXT, ann)


@pytest.mark.parametrize("left", ["R1\tSaidBy Arg1:T1 Arg2:T2", "R1\tNamedAs Arg1:T1 Arg2:T2"])
def test_an_author_with_a_mention_or_name_is_refused_since_either_may_be_the_correction(left):
    ann = f"T1\tDenial 0 13\tAda denied it\nT2\tMention 0 3\tAda\nA1\tAuthor T1\n{left}\n"
    with pytest.raises(LabelledSetError, match="T1 has the attribute Author and a mention or name"):
        from_ann("Ada denied it", ann)


def test_what_others_add_is_left_alone():
    ann = "T1\tAssertion 15 25\tIt rained.\nA1\tAuthor T1\n#1\tAnnotatorNotes T1\tsure?\nA2\tDoubt T1\nT2\tPlace 0 3\tAda\n"
    assert from_ann(TEXT, ann) == [{"start": 15, "end": 25, "label": "assertion", "speaker": "author"}]


def test_a_statement_without_speaker_is_named(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"a\.ann"):
        list(read(tmp_path))
    (tmp_path / "a.ann").write_text("T1\tDenial 0 14\tAda denied it.", encoding="utf-8")
    with pytest.raises(LabelledSetError, match=r"a\.ann, sentence 0: 'speaker' must be"):
        list(read(tmp_path))


def test_a_folder_without_texts(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no \.txt files"):
        list(read(tmp_path))
