"""The result types: what they promise for any document, and how they come back from JSON."""

import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.document import LABELS, SCHEMA, Document, Label, Sentence, Span, Speaker, link_speakers
from stance.frames import COLUMNS
from stance.labelled import LabelledSetError, validate

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@st.composite
def spans_of(draw, text):
    start = draw(st.integers(0, len(text) - 1))
    return Span.of(text, start, draw(st.integers(start + 1, len(text))))


@st.composite
def sentences_of(draw, text, start, end):
    """Draw a prediction without its speaker's aliases and sentences, which the whole document gives."""
    evidence = st.none() | spans_of(text)
    label = draw(st.sampled_from(LABELS))
    speaker, mention = None, None
    if label is not Label.NONE:
        source = draw(evidence)
        speaker = Speaker(source.text, "source") if source else Speaker("author", "author")
        mention = draw(evidence) if source else None
    probability = st.floats(0, 1)
    return Sentence(
        start=start,
        end=end,
        text=text[start:end],
        label=label,
        confidence=draw(probability),
        scores={each: draw(probability) for each in LABELS},
        speaker=speaker,
        speaker_confidence=draw(st.none() | probability),
        mention=mention,
        cue=draw(evidence),
        target=draw(evidence) if label is Label.ALLEGATION else None,
        abstained=draw(st.booleans()),
    )


@st.composite
def documents(draw):
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    drafts = [draw(sentences_of(text, *ends)) for ends in zip(cuts[::2], cuts[1::2], strict=False)]
    identifier = draw(st.none() | texts)
    return Document(text, *link_speakers(drafts), identifier)


@given(documents())
def test_a_document_comes_back_from_its_dictionary_and_from_json_of_plain_ascii(doc):
    line = doc.to_json()
    validate(doc.to_dict())
    assert Document.from_dict(doc.to_dict()) == Document.from_dict(json.loads(line)) == doc
    assert line.isascii()
    assert "\n" not in line


@settings(max_examples=50)
@given(documents())
def test_every_speaker_stands_once_the_most_cited_first(doc):
    cited = [len(speaker.sentences) for speaker in doc.speakers]
    assert cited == sorted(cited, reverse=True)
    assert len({(speaker.kind, speaker.name) for speaker in doc.speakers}) == len(doc.speakers)
    for speaker in doc.speakers:
        assert all(doc.sentences[index].speaker == speaker for index in speaker.sentences)
    assert sum(cited) == sum(sentence.speaker is not None for sentence in doc.sentences)


def test_the_shared_document_keeps_its_own_promises(document):
    assert Document.from_dict(document.to_dict()) == document
    for sentence in document.sentences:
        assert document.text[sentence.start : sentence.end] == sentence.text
        assert sum(sentence.scores.values()) == pytest.approx(1)


def test_labels_are_their_words():
    assert Label.DENIAL == "denial"
    assert f"{Label.DENIAL}" == "denial"
    assert json.dumps(Label.DENIAL) == '"denial"'
    assert [str(label) for label in LABELS] == ["assertion", "denial", "allegation", "none"]


def test_results_cannot_be_changed(document):
    with pytest.raises(FrozenInstanceError):
        document.text = "another"
    with pytest.raises(FrozenInstanceError):
        document.sentences[0].label = Label.NONE


def test_the_dictionary_is_laid_out_as_documented(document):
    line = document.to_dict()
    assert line["schema"] == SCHEMA
    assert line["id"] == "mayor"
    heading, _, allegation, rain = line["sentences"]
    assert heading["speaker"] == {"name": "Ada Brook", "mention": {"start": 0, "end": 5}}
    assert "target" not in heading
    assert allegation["target"] == {"start": 26, "end": 35}
    assert rain["speaker"] == "author"
    assert rain["abstained"] is True
    assert set(rain["scores"]) == {"assertion", "denial", "allegation", "none"}


def test_what_a_person_labelled_has_no_confidence():
    text = "Ada Brook denied it. She left. Unclear."
    line = {
        "text": text,
        "sentences": [
            {"start": 0, "end": 20, "label": "denial", "speaker": {"name": "Ada Brook"}},
            {"start": 21, "end": 30, "label": "allegation", "speaker": "author", "target": None},
            {"start": 31, "end": 39, "label": "none"},
        ],
    }
    doc = Document.from_dict(line)
    denial, allegation, unclear = doc.sentences
    assert doc.id is None
    assert denial.confidence is denial.scores is denial.mention is None
    assert denial.speaker.aliases == ()
    assert allegation.speaker == Speaker("author", "author", (), (1,))
    assert allegation.target is None
    assert unclear.speaker is None
    assert "confidence" not in doc.to_dict()["sentences"][0]


def test_an_empty_document():
    doc = Document.from_dict({"text": "", "sentences": []})
    assert doc == Document("", ())
    assert list(doc.to_frame().columns) == list(COLUMNS)
    assert len(doc.to_frame()) == 0


def test_a_broken_line_is_refused():
    with pytest.raises(LabelledSetError, match="sentence 0: unknown label 'lie'"):
        Document.from_dict({"text": "So.", "sentences": [{"start": 0, "end": 3, "label": "lie"}]})


def test_the_frame_has_a_row_a_sentence(document):
    frame = document.to_frame()
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame["label"]) == ["denial", "denial", "allegation", "assertion"]
    assert list(frame["speaker"]) == ["Ada Brook", "Ada Brook", "Cole Reed", "author"]
    row = frame.iloc[2]
    assert (row["id"], row["sentence"], row["mention"], row["cue"], row["target"]) == (
        "mayor",
        2,
        "Cole Reed",
        "accused",
        "Ada Brook",
    )
    assert document.text[row["start"] : row["end"]] == row["text"]


def test_notebooks_show_the_html(document):
    assert document._repr_html_() == document.to_html()
