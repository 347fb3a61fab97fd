"""What holds for any input: texts of every kind come back whole, in order, with evidence that stands in them."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance import labelled
from stance.document import Document, Label
from stance.names import Names
from stance.sentences import split

PIECES = st.sampled_from(
    [
        "Mayor Ada Brook denied it. ",
        '"I never did," she said. ',
        "Cole Reed accused Orvane Energy (OE) of fraud. ",
        "Mr. Roe of the U.S. Navy left... ",
        '"' * 40,
        "“‘“‘" * 10,
        "»" * 30 + "«" * 30,
        "((((" + "))))",
        "x" * 3000,
        "word " * 400,
        "a.b." * 200,
        "\r\n",
        "\r",
        "\n\n",
        "\u2028",
        "\u2029",
        "\x85",
        "\x0b\x0c",
        "\u00a0\u3000\u200b\ufeff",
        "<p class='x'>He said.</p>",
        "</div><br/>",
        "&nbsp;&#8220;&amp;",
        "<script>alert('x')</script>",
        "e\u0301\u0302\u0303" * 20,
        "👩‍👩‍👧‍👦 ",
        "\u202eabc\u202c",
        "محمد نفى ذلك. ",
        "他否认了。",
        "\ud800",
        "\0",
        "[CLS] [SEP] [PAD] [MASK] ",
    ]
)
ARTICLES = st.lists(PIECES | st.text(st.characters(), max_size=30), max_size=12).map("".join)


def check(document, text):
    """Assert what a caller may rely on, whatever the text."""
    assert document.text == text
    covered = [index for s in document.sentences for index in range(s.start, s.end)]
    assert covered == sorted(set(covered))
    assert {index for index, character in enumerate(text) if not character.isspace()} <= set(covered)
    for s in document.sentences:
        assert text[s.start : s.end] == s.text
        assert sum(s.scores.values()) == pytest.approx(1)
        assert s.confidence == s.scores[s.label]
        assert (s.speaker is None) == (s.label is Label.NONE)
        assert s.target is None or s.label is Label.ALLEGATION
        for span in (s.mention, s.cue, s.target):
            assert span is None or text[span.start : span.end] == span.text != ""
        assert s.speaker is None or s.speaker.kind == "author" or s.speaker.name in text
    assert sorted(i for speaker in document.speakers for i in speaker.sentences) == [
        i for i, s in enumerate(document.sentences) if s.speaker
    ]


@settings(max_examples=40)
@given(text=ARTICLES)
def test_any_text_comes_back_whole(tiny, text):
    document = tiny.classify(text)
    check(document, text)
    assert Document.from_dict(document.to_dict()) == document
    assert Document.from_dict(json.loads(document.to_json())) == document
    labelled.validate(document.to_dict())
    assert document.to_html()


@settings(max_examples=15)
@given(texts=st.lists(ARTICLES, max_size=4), order=st.randoms(use_true_random=False))
def test_neither_batching_nor_order_changes_anything(tiny, texts, order):
    alone = {index: tiny.classify(text) for index, text in enumerate(texts)}
    places = list(alone)
    order.shuffle(places)
    for index, together in zip(places, tiny.classify([texts[index] for index in places]), strict=True):
        assert [(s.start, s.end) for s in together.sentences] == [(s.start, s.end) for s in alone[index].sentences]
        for one, other in zip(together.sentences, alone[index].sentences, strict=True):
            assert [*one.scores.values()] == pytest.approx([*other.scores.values()], abs=1e-4)


@settings(max_examples=30)
@given(text=ARTICLES)
def test_windows_read_every_sentence_once_and_keep_to_their_length(windower, text):
    spans = split(text)
    windows = windower.windows(text, spans)
    assert [index for window in windows for index in range(*window.read)] == list(range(len(spans)))
    assert all(len(window) <= windower.window for window in windows)
    for window in windows:
        words = window.offsets[~window.is_marker]
        assert (words[:, 0] < words[:, 1]).all()
        assert (words >= 0).all()
        assert (words <= len(text)).all()


@settings(max_examples=30)
@given(text=ARTICLES, cuts=st.lists(st.integers(0, 4000), max_size=6))
def test_the_callers_own_boundaries_are_kept(tiny, text, cuts):
    ends = [*sorted({cut for cut in cuts if cut < len(text)}), len(text)]
    pairs = [(start, end) for start, end in zip([0, *ends], ends, strict=False) if text[start:end].strip()]
    document = tiny.classify(text, sentences=pairs)
    assert [(s.start, s.end) for s in document.sentences] == pairs
    check(document, text)


def seconds(work):
    started = time.process_time()
    work()
    return time.process_time() - started


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        'Mayor Ada Brook denied it. "I never did," she told the U.S. board on Jan. 3.\n\n',
        "x",
        "word ",
        '"She said. ',
    ],
    ids=["news", "one word", "one sentence", "one line of open quotations"],
)
def test_ten_megabytes_take_ten_times_as_long_as_one(windower, unit):
    def read(size):
        text = unit * (size // len(unit))
        windower.windows(text, split(text))

    read(10_000)  # what happens only once
    small, large = (seconds(lambda size=size: read(size)) for size in (1_000_000, 10_000_000))
    assert large < 25 * max(small, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "Ann Lee{0} of the Great Lee{0} Board (GLB) left. ",
        "(GLB) Ann Lee{0} ",
        "Mr ",
        "But ",
        "Ann{0} Reed left. ",
        "Aab Bab{0} Cab Dab (ABC{0}D). ",
    ],
    ids=["news", "names", "one row of titles", "one row of starters", "one surname", "acronyms"],
)
def test_the_names_of_one_megabyte_take_ten_times_as_long_as_those_of_a_tenth(unit):
    def read(size):
        Names("".join(unit.format(number) for number in range(size // len(unit))))

    small, large = (seconds(lambda size=size: read(size)) for size in (100_000, 1_000_000))
    assert large < 25 * max(small, 0.1)
