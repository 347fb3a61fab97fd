"""The table of the terminal: everything is shown, nothing commands the terminal."""

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from stance.display import to_table
from stance.document import Document

texts = st.text(st.characters(codec=None, exclude_categories=()), min_size=1, max_size=40)


def whole(text, label="denial", confidence=None, **more):
    """Build a document of one sentence that its own words speak."""
    record = {"start": 0, "end": len(text), "label": label, "speaker": {"name": text}, **more}
    return Document.from_dict({"id": text, "text": text, "sentences": [record]})


def printed(doc, width=100, **options):
    out = io.StringIO()
    Console(file=out, width=width, **{"color_system": None, **options}).print(to_table(doc, width))
    return out.getvalue()


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
