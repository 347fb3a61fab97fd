"""The HTML of a document: everything is shown, nothing is executed, and the ledger counts right."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.document import Document
from stance.markup import rules, to_fragment, to_html
from stance.sentences import split

HOSTILE = '<script>alert("&amp;")</script></style><img src=x onerror=alert(1)>"\' \x1b[31m\x07\u2028 é\ud800'
texts = st.text(st.characters(codec=None, exclude_categories=()), min_size=1, max_size=40)
VOID = {"br", "img", "meta", "link", "input"}


class Page(HTMLParser):
    """Reads the HTML back: the article's text, notes, underlined words, and the ledger's rows, cells and links."""

    def __init__(self, markup):
        super().__init__()
        self.open, self.text, self.notes, self.underlined, self.cells, self.links = [], "", [], [], [], []
        self.ids, self.titles, self.attributes, self.seen = [], [], set(), set()
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.seen.add(tag)
        self.attributes |= set(attrs)
        assert tag not in VOID
        self.open.append((tag, attrs.get("class", "")))
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "a":
            self.links.append(attrs["href"])
        if attrs.get("class") == "note":
            self.notes.append("")
            self.titles.append(attrs["title"])
        if tag in ("th", "td"):
            self.cells.append("")
        if tag == "u":
            self.underlined.append((attrs["title"], ""))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        names = [name for _, name in self.open]
        tags = [tag for tag, _ in self.open]
        if "note" in names:
            self.notes[-1] += data
        elif "th" in tags or "td" in tags:
            self.cells[-1] += data
        elif "article" in names:
            self.text += data
            if "u" in tags:
                title, words = self.underlined[-1]
                self.underlined[-1] = (title, words + data)


def whole(text, label="denial", **more):
    """Build a document of one sentence that its own words speak."""
    record = {"start": 0, "end": len(text), "label": label, "speaker": {"name": text}, **more}
    return Document.from_dict({"id": text, "text": text, "sentences": [record]})


@pytest.fixture
def page(document):
    return Page(to_fragment(document))


def test_beside_a_sentence_stand_sign_speaker_label_confidence_and_accused(page):
    assert [" ".join(note.split()) for note in page.notes] == [
        "- Ada Brook denial 70%",
        "- Ada Brook denial 93%",
        "! Cole Reed allegation 81% → Ada Brook",
        "+ author assertion? 40%",
    ]


def test_titles_state_how_sure_the_speaker_is(page):
    assert page.titles[1] == "denial 93%, speaker 88%"
    assert page.titles[3] == "assertion 40%, speaker 50%, less sure than asked for"


def test_the_evidence_is_underlined(page):
    assert page.underlined == [
        ("speaker", "Mayor"),
        ("speaker", "Ada Brook"),
        ("cue", "denied"),
        ("speaker", "Cole Reed"),
        ("cue", "accused"),
    ]
    assert len(set(re.findall(r"u\.\w+ \{ text-decoration-style: (\w+)", rules()))) == 2


def test_an_accused_who_says_nothing_is_underlined():
    text = "Cole accused Ada."
    target = {"start": 13, "end": 16}
    record = {"start": 0, "end": 17, "label": "allegation", "speaker": {"name": "Cole"}, "target": target}
    page = Page(to_fragment(Document.from_dict({"text": text, "sentences": [record]})))
    assert page.underlined == [("accused", "Ada")]


def test_the_text_keeps_its_white_space(page, document):
    assert page.text == document.text
    assert "white-space: pre-wrap" in rules()


def test_the_ledger_has_a_row_for_each_speaker(page):
    assert [" ".join(cell.split()) for cell in page.cells] == [
        *["Speaker", "+ asserts", "- denies", "! alleges"],
        *["Ada Brookalso Mayor", "–", "2 deniesMayor denies theft 70%Mayor Ada Brook denied it. 93%", "–"],
        *["Cole Reed", "–", "–", "1 alleges→ Ada Brook Cole Reed accused her of theft. 81%"],
        *["author", "1 assertsIt rained. 40%", "–", "–"],
    ]


def test_the_ledger_links_to_its_sentences(page):
    assert len(page.ids) == len(set(page.ids)) == 4
    assert page.links == [f"#{anchor}" for anchor in page.ids]


def test_links_of_two_articles_in_one_notebook_do_not_meet(document):
    assert not set(Page(to_fragment(document)).ids) & set(Page(to_fragment(whole("So."))).ids)


def test_many_statements_fold_away_and_none_is_lost():
    text = "So. " * 9
    records = [{"start": at, "end": at + 3, "label": "assertion", "speaker": "author"} for at in range(0, 36, 4)]
    markup = to_fragment(Document.from_dict({"text": text, "sentences": records}))
    assert "<summary>6 more</summary>" in markup
    assert len(Page(markup).links) == 9


def test_paragraphs_follow_the_line_breaks(document):
    assert to_fragment(document).count("<p>") == 3


def test_wrapped_lines_are_no_paragraphs():
    text = (
        "Nobody was hurt by the fire, the harbour\npolice said at noon. The ferry had left.\n"
        "Two boats are lost, and nobody yet knows\nhow it began, or who was there, and what\nthey saw.\n\nHe said so."
    )
    records = [{"start": start, "end": end, "label": "none"} for start, end in split(text)]
    markup = to_fragment(Document.from_dict({"text": text, "sentences": records}))
    assert (len(records), markup.count("<p>")) == (4, 2)


def test_html_needs_nothing_from_elsewhere(document):
    markup = to_html(document)
    assert markup.startswith("<div")
    assert not re.search(r"https?:|src=|href=\"[^#]|@import|url\(", markup)
    assert "prefers-color-scheme: dark" in markup
    assert document._repr_html_() == document.to_html() == markup


def test_the_fragment_has_no_style_of_its_own(page):
    assert page.attributes.isdisjoint({"style", "onclick"})
    assert "style" not in page.seen


def test_hand_labels_state_no_confidence():
    assert Page(to_fragment(whole("So."))).titles == ["denial"]


def test_nothing_is_an_empty_article_without_a_ledger():
    page = Page(to_fragment(Document("", ())))
    assert (page.text, page.notes, page.cells) == ("", [], [])


@settings(max_examples=50)
@given(texts)
def test_any_text_is_escaped_and_can_be_encoded(text):
    markup = to_html(whole(text))
    markup.encode("utf-8")
    page = Page(markup)
    assert page.text == re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert page.seen <= set("div style p span small b bdi i u table caption thead tbody tr th td ul li a".split())


@pytest.mark.parametrize("label", ["assertion", "denial", "allegation"])
def test_hostile_text_is_shown_and_not_run(label):
    target = {"target": {"start": 0, "end": len(HOSTILE)}} if label == "allegation" else {}
    doc = whole(HOSTILE, label, **target)
    markup = to_fragment(doc)
    assert "<script" not in markup
    assert "<img" not in markup
    page = Page(markup)
    assert page.text == HOSTILE.replace("\ud800", "\ufffd")
    assert page.attributes <= set(
        "class dir id title data-label data-speaker aria-hidden aria-label scope href".split()
    )
