"""Rendering: everything is shown, nothing is executed, and colour is never the only sign."""

import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from stance.display import MARKS, to_html, to_table
from stance.document import LABELS, Document

HOSTILE = '<script>alert("&amp;")</script> [bold]\x1b[31m\x07\u2028 é\ud800'
texts = st.text(st.characters(codec=None, exclude_categories=()), min_size=1, max_size=40)


def whole(text, label="denial", confidence=None, **more):
    """Build a document of one sentence that its own words speak."""
    record = {"start": 0, "end": len(text), "label": label, "speaker": {"name": text}, **more}
    return Document.from_dict({"id": text, "text": text, "sentences": [record]})


class Page(HTMLParser):
    """Reads HTML back: the article's text, the tags before sentences, underlined words and titles."""

    def __init__(self, markup):
        super().__init__()
        self.open, self.text, self.tags, self.titles, self.underlined, self.seen = [], "", [], [], [], set()
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.open.append(tag)
        self.titles += [value for name, value in attrs if name == "title" and tag == "span"]
        if tag == "bdi":
            self.tags.append("")
        if tag == "u":
            self.underlined.append((dict(attrs)["title"], ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] == "bdi":
            self.tags[-1] += data
        elif self.open[-1] != "style":
            self.text += data
        if self.open[-1] == "u":
            title, words = self.underlined[-1]
            self.underlined[-1] = (title, words + data)


def printed(doc, width=100, **options):
    out = io.StringIO()
    Console(file=out, width=width, **{"color_system": None, **options}).print(to_table(doc, width))
    return out.getvalue()


def test_every_label_has_its_own_sign_and_colour():
    assert set(MARKS) == set(LABELS)
    assert len({mark.sign for mark in MARKS.values()}) == len({mark.colour for mark in MARKS.values()}) == len(LABELS)
    with pytest.raises(TypeError):
        MARKS[LABELS[0]] = MARKS[LABELS[1]]


def test_html_says_label_speaker_and_accused_in_words(document):
    assert Page(to_html(document)).tags == [
        "- denial · Ada Brook ",
        "- denial · Ada Brook ",
        "! allegation · Cole Reed → Ada Brook ",
        "+ assertion? · author ",
    ]


def test_html_states_confidence_in_titles(document):
    titles = Page(to_html(document)).titles
    assert titles[1] == "denial 93%, speaker 88%"
    assert titles[3] == "assertion 40%, speaker 50%, less sure than asked for"


def test_html_underlines_the_evidence(document):
    assert Page(to_html(document)).underlined == [
        ("speaker", "Mayor"),
        ("speaker", "Ada Brook"),
        ("cue", "denied"),
        ("speaker", "Cole Reed"),
        ("cue", "accused"),
    ]


def test_html_underlines_an_accused_who_says_nothing():
    text = "Cole accused Ada."
    target = {"start": 13, "end": 16}
    record = {"start": 0, "end": 17, "label": "allegation", "speaker": {"name": "Cole"}, "target": target}
    page = Page(to_html(Document.from_dict({"text": text, "sentences": [record]})))
    assert page.underlined == [("accused", "Ada")]


def test_html_keeps_the_text_with_its_white_space(document):
    assert Page(to_html(document)).text == document.text
    assert "white-space:pre-wrap" in to_html(document)


def test_html_needs_nothing_from_elsewhere(document):
    page = to_html(document)
    assert page.startswith("<div")
    assert not re.search(r"https?:|src=|href=|@import|url\(", page)


def test_html_of_hand_labels_states_no_confidence():
    page = Page(to_html(whole("So.")))
    assert page.titles == ["denial"]


def test_html_of_nothing_is_empty():
    page = Page(to_html(Document("", ())))
    assert page.text == ""
    assert page.tags == []


@settings(max_examples=50)
@given(texts)
def test_html_escapes_any_text_and_can_be_encoded(text):
    markup = to_html(whole(text))
    markup.encode("utf-8")
    page = Page(markup)
    assert page.text == re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert page.seen <= {"div", "style", "span", "bdi", "u"}


def test_hostile_text_is_shown_and_not_run():
    assert "<script>" not in to_html(whole(HOSTILE))
    assert 'alert("&amp;")' in Page(to_html(whole(HOSTILE))).text


def test_table_shows_label_speaker_sentence_accused_and_confidence(document):
    rows = printed(document).splitlines()
    assert rows[0].strip() == "mayor"
    rows = [" ".join(row.split()) for row in rows]
    allegation, rain = (row for row in rows if "accused her" in row or "rained" in row)
    assert allegation == "! allegation Cole Reed Cole Reed accused her of theft. 81%"
    assert rows[rows.index(allegation) + 1] == "→ Ada Brook"
    assert rain == "+ assertion? author It rained. 40%"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_table_fits_its_width_and_loses_no_word(document, width):
    text = " ".join(["word"] * 80 + ["x" * 120])
    lines = printed(whole(text), width).splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.count("word") for line in lines) >= 80
    assert "…" not in "".join(lines)


def test_table_colours_labels_where_there_are_colours(document, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[38;2;" in printed(document, color_system="truecolor", force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "38;2;" not in printed(document, color_system="truecolor", force_terminal=True)


def test_table_underlines_the_evidence(document):
    assert "\x1b[4mdenied\x1b[0m" in printed(document, color_system="standard", force_terminal=True)


@settings(max_examples=50)
@given(texts)
def test_table_lets_no_text_command_the_terminal(text):
    shown = printed(whole(text))
    shown.encode("utf-8")
    assert set(re.findall(r"[\x00-\x1f\x7f-\x9f]", shown)) <= {"\n"}


def test_table_takes_markup_for_text():
    assert "[bold]" in printed(whole("[bold]No[/bold]"))


def test_table_of_nothing_has_only_its_head():
    assert printed(Document("", ())).split()[:6] == ["label", "speaker", "→", "accused", "sentence", "sure"]
