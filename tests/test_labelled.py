"""Labelled sets: what comes back from a file, and what bad input gets."""

import gzip
import json
import re

import pytest

from stance.document import Document
from stance.labelled import LabelledSetError, detach, join, read, validate, write

GOOD = {"start": 0, "end": 8, "label": "denial", "speaker": {"name": "Ada", "mention": {"start": 0, "end": 3}}}
ALLEGATION = {"start": 0, "end": 8, "label": "allegation", "speaker": "author", "target": {"start": 0, "end": 3}}
TEXT = "Ada left. Cole stayed."


def article(*sentences, text=TEXT, **more):
    return {"text": text, "sentences": list(sentences), **more}


@pytest.fixture
def saved(tmp_path, articles):
    path = tmp_path / "set.jsonl"
    write(path, articles)
    return path


def test_articles_come_back_as_they_were_written(saved, articles):
    assert read(saved) == read(str(saved)) == articles


def test_a_compressed_set_is_read_too(tmp_path, saved, articles):
    path = tmp_path / "set.jsonl.gz"
    path.write_bytes(gzip.compress(saved.read_bytes()))
    assert read(path) == articles


def test_a_set_is_compressed_by_its_ending(tmp_path, saved, articles):
    path = tmp_path / "set.jsonl.gz"
    write(path, articles)
    assert gzip.decompress(path.read_bytes()) == saved.read_bytes()
    assert read(path) == articles


def test_offsets_count_characters_whatever_the_line_ends(tmp_path):
    text = "Ада 😀\r\nleft\u2028here\x85."
    line = article({"start": 5, "end": 11, "label": "none"}, text=text, id="a")
    for name, ascii_only in (("plain", False), ("escaped", True)):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"\r\n" + json.dumps(line, ensure_ascii=ascii_only).encode() + b"\r\n\r\n")
        assert read(path) == [line]


def test_an_empty_file_has_no_articles(tmp_path):
    path = tmp_path / "set.jsonl"
    write(path, [])
    assert read(path) == []


def test_a_first_line_of_nothing_but_a_byte_order_mark_is_blank(tmp_path):
    path = tmp_path / "set.jsonl"
    line = article({"start": 0, "end": 1, "label": "none"}, text="x", id="a")
    path.write_text("\ufeff\n" + json.dumps(line), encoding="utf-8")
    assert read(path) == [line]


def test_lone_surrogates_can_be_read(tmp_path):
    path = tmp_path / "set.jsonl"
    line = article({"start": 0, "end": 1, "label": "none"}, text="\ud800", id="a")
    path.write_text(json.dumps(line), encoding="ascii")
    assert read(path) == [line]
    assert Document.from_dict(read(path)[0]).sentences[0].text == "\ud800"


def test_lone_surrogates_can_be_written(tmp_path):
    path = tmp_path / "set.jsonl"
    line = article({"start": 0, "end": 1, "label": "none"}, text="\ud800", id="a")
    write(path, [line])
    assert read(path) == [line]


OTHERS = {**GOOD, "speaker": {"name": "Ada", "also": ["Cole", "left"]}}
EITHER = {**ALLEGATION, "speaker_also": "Cole"}


@pytest.mark.parametrize("sentence", [GOOD, ALLEGATION, {**ALLEGATION, "target": None}, OTHERS, EITHER])
def test_good_sentences_pass(sentence):
    validate(article(sentence))


BAD_ARTICLES = [
    (["text"], "an article is a JSON object, not list"),
    (article(schema=2), "unknown schema 2; this version of stance reads 1"),
    (article(schema=None), "unknown schema None"),
    ({"sentences": []}, "'text' must be a string, not NoneType"),
    ({"text": 7, "sentences": []}, "'text' must be a string, not int"),
    ({"text": ""}, "'sentences' must be a list, not NoneType"),
    (article("Ada left."), "sentence 0: a sentence is a JSON object, not str"),
    (article(GOOD, {**GOOD, "start": 7, "end": 9}), "sentence 1: starts at 7, before the end 8 of the one before"),
    (article({**GOOD, "start": 10, "end": 22}, GOOD), "sentence 1: starts at 0, before the end 22"),
]

BAD_SENTENCES = [
    ({"label": "assertion", "evidence": [{"start": 0, "end": 3}]}, "only denials and allegations have 'evidence'"),
    ({"label": "denial", "evidence": {"start": 0, "end": 3}}, "'evidence' must be a list of spans"),
    ({"label": "denial", "evidence": [{"start": 2, "end": 1}]}, "evidence: the span 2–1"),
    (
        {"label": "denial", "evidence": [{"start": 0, "end": 10}]},
        "evidence: the span 0–10 must lie within the sentence",
    ),
    ({"start": 8, "end": 0}, "the span 8–0 must satisfy 0 <= start < end <= 22"),
    ({"start": 3, "end": 3}, "the span 3–3 must"),
    ({"end": 23}, "the span 0–23 must"),
    ({"start": -1}, "the span -1–8 must"),
    ({"start": "0"}, "'start' and 'end' must be whole numbers, not '0' and 8"),
    ({"start": 0.0}, "must be whole numbers, not 0.0"),
    ({"start": False}, "must be whole numbers, not False"),
    ({"end": None}, "must be whole numbers, not 0 and None"),
    ({"label": "lie"}, "unknown label 'lie'; it must be one of assertion, denial, allegation, none"),
    ({"label": None}, "unknown label None"),
    ({"label": ["denial"]}, "unknown label ['denial']"),
    ({"label": "none"}, "a sentence labelled 'none' has no speaker"),
    ({"speaker": None}, "'speaker' must be \"author\" or an object with name and mention, not None"),
    ({"speaker": "Ada"}, "'speaker' must be \"author\" or an object with name and mention, not 'Ada'"),
    ({"speaker": {"name": "Ada Brook"}}, "the speaker's name 'Ada Brook' does not stand in the text"),
    ({"speaker": {"name": ""}}, "the speaker's name '' does not stand in the text"),
    ({"speaker": {"mention": {"start": 0, "end": 3}}}, "the speaker's name None does not stand"),
    ({"speaker": {"name": "Ada", "mention": [0, 3]}}, "mention: a span is an object with 'start' and 'end', not list"),
    ({"speaker": {"name": "Ada", "mention": {"start": 0, "end": 99}}}, "mention: the span 0–99 must"),
    ({"speaker": {"name": "Ada", "also": "Cole"}}, "'also' must be a list of names, not 'Cole'; remove it"),
    ({"speaker": {"name": "Ada", "also": None}}, "'also' must be a list of names, not None"),
    ({"speaker": {"name": "Ada", "also": ["Cole", 3]}}, "the speaker's name 3 does not stand in the text"),
    ({"speaker": {"name": "Ada", "also": ["Ada Brook"]}}, "the speaker's name 'Ada Brook' does not stand"),
    ({"speaker": "author", "speaker_also": "Ada Brook"}, "the speaker's name 'Ada Brook' does not stand"),
    ({"speaker": "author", "speaker_also": None}, "the speaker's name None does not stand in the text"),
    ({"speaker": "author", "speaker_also": ["Ada"]}, "the speaker's name ['Ada'] does not stand in the text"),
    ({"target": {"start": 0, "end": 3}}, "only an allegation has a 'target', this is labelled 'denial'"),
    ({"label": "allegation", "target": {"start": 3, "end": 0}}, "target: the span 3–0 must"),
    ({"abstained": "no"}, "'abstained' must be true or false, not 'no'"),
    ({"cue": {"start": 0, "end": 99}}, "cue: the span 0–99 must"),
    ({"scores": {"denial": 1.0}}, "'scores' must be an object with the keys allegation, assertion, denial, none"),
    ({"confidence": 1.5}, "a probability must lie between 0 and 1, not 1.5"),
    ({"speaker_confidence": "0.9"}, "a probability must lie between 0 and 1, not '0.9'"),
]


@pytest.mark.parametrize(("bad", "message"), BAD_ARTICLES)
def test_bad_articles_are_refused(bad, message):
    with pytest.raises(LabelledSetError, match=re.escape(message)) as caught:
        validate(bad, "train.jsonl, line 3")
    assert str(caught.value).startswith("train.jsonl, line 3")


@pytest.mark.parametrize(("change", "message"), BAD_SENTENCES)
def test_bad_sentences_are_refused(change, message):
    with pytest.raises(LabelledSetError, match=re.escape(message)) as caught:
        validate(article({**GOOD, **change}), "train.jsonl, line 3")
    assert str(caught.value).startswith("train.jsonl, line 3, sentence 0")


def with_line_17(tmp_path, line):
    lines = [json.dumps(article(GOOD, id=str(number))).encode() for number in range(20)]
    lines[16] = line
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": "a", "text": "So', "broken JSON"),
        (b"So.", "broken JSON"),
        (b"[]", "an article is a JSON object, not list"),
        (json.dumps(article({**GOOD, "label": "lie"})).encode(), "sentence 0: unknown label 'lie'"),
        (json.dumps(article(GOOD, id="3")).encode(), "the id '3' is already on line 4"),
    ],
)
def test_errors_name_file_and_line(tmp_path, line, message):
    path = with_line_17(tmp_path, line)
    with pytest.raises(LabelledSetError) as caught:
        read(path)
    assert f"{path}, line 17" in str(caught.value)
    assert message in str(caught.value)


def test_text_that_is_not_utf8_is_refused(tmp_path):
    path = with_line_17(tmp_path, '{"text": "café", "sentences": []}'.encode("latin-1"))
    with pytest.raises(LabelledSetError, match="not UTF-8") as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_articles_without_an_id_are_no_duplicates(tmp_path):
    path = tmp_path / "set.jsonl"
    write(path, [article(GOOD), article(GOOD)])
    assert len(read(path)) == 2


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere.jsonl")


def test_standoff_holds_no_text_and_joins_to_the_same_set(tmp_path, articles):
    path = tmp_path / "standoff.jsonl"
    detached = [detach(article) for article in articles]
    write(path, detached)
    content = path.read_text(encoding="utf-8")
    assert not any(word in content for word in ("Ada", "Brook", "Cole", "denied", "rained"))
    assert detached[0]["sentences"][1]["speaker"]["name"] == {"start": 26, "end": 35}
    bodies = [{"text": article["text"], "url": "ignored"} for article in reversed(articles)]
    assert join(path, bodies) == articles


def test_detach_leaves_the_article_alone(articles):
    before = json.dumps(articles)
    detach(articles[0])
    assert json.dumps(articles) == before


def test_lone_surrogates_can_be_detached(tmp_path):
    line = article({"start": 0, "end": 1, "label": "none"}, text="\ud800", id="a")
    path = tmp_path / "standoff.jsonl"
    write(path, [detach(line)])
    assert join(path, [line]) == [line]


def test_join_names_the_line_whose_article_is_missing(tmp_path, articles):
    path = tmp_path / "standoff.jsonl"
    write(path, [detach(article) for article in articles])
    changed = {"text": articles[1]["text"] + " "}
    with pytest.raises(LabelledSetError, match=r"standoff\.jsonl, line 2: no article has the sha256"):
        join(path, [articles[0], changed])


def test_join_checks_the_labels(tmp_path, articles):
    path = tmp_path / "standoff.jsonl"
    broken = detach(articles[1])
    broken["sentences"][0]["end"] = 99
    write(path, [broken])
    with pytest.raises(LabelledSetError, match=r"standoff\.jsonl, line 1, sentence 0: the span 0–99"):
        join(path, articles)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speaker": {"name": "Ada"}}, "sentence 0, a name: a span is an object with 'start' and 'end', not str"),
        ({"speaker": {}}, "sentence 0, a name: a span is an object"),
        ({"speaker": {"name": {"start": -4, "end": 2}}}, "sentence 0, a name: the span -4–2"),
        ({"speaker": {"name": {"start": 0, "end": 3}, "also": 7}}, "sentence 0: 'also' must be a list of names"),
        ({"speaker_also": ["Ada"]}, "sentence 0, a name: a span is an object"),
    ],
)
def test_join_checks_the_names(tmp_path, change, message):
    line = article(GOOD, id="a")
    broken = detach(line)
    broken["sentences"][0].update(change)
    write(tmp_path / "standoff.jsonl", [broken])
    with pytest.raises(LabelledSetError, match=re.escape(f"standoff.jsonl, line 1, {message}")):
        join(tmp_path / "standoff.jsonl", [line])


def test_join_refuses_a_sentence_that_is_no_object(tmp_path):
    line = article(GOOD, id="a")
    write(tmp_path / "standoff.jsonl", [{**detach(line), "sentences": ["Ada left."]}])
    with pytest.raises(LabelledSetError, match="line 1, sentence 0: a sentence is a JSON object, not str"):
        join(tmp_path / "standoff.jsonl", [line])
