"""Plain spelling: words are read as they are spelt elsewhere, and found again where they were."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.spelling import PlainText


@pytest.mark.parametrize("gap", ["  ", "\t", " \u2009 ", "\u00a0", "      ", " \u200b", "\u200b \u2060", " \u200b "])
def test_every_gap_is_one_space(gap):
    text = gap.join(["The", "mayor", "spoke."])
    plain = PlainText(text)
    assert plain.text == "The mayor spoke."
    assert plain.here((text.index("mayor"), len(text))) == (4, 16)
    assert plain.there((4, 9)) == (text.index("mayor"), text.index("mayor") + 5)


def test_lines_stay_apart():
    assert PlainText("The  mayor\n\n  spoke.\r\nTwice.").text == "The mayor\n\n spoke.\r\nTwice."


def test_letters_are_whole_and_their_accents_found_with_them():
    text = unicodedata.normalize("NFD", "José Ângelo denied it, as José does.")
    plain = PlainText(text)
    assert plain.text == unicodedata.normalize("NFC", text)
    start, end = plain.there((0, 11))
    assert text[start:end] == unicodedata.normalize("NFD", "José Ângelo")
    assert plain.there((26, 30)) == (text.rindex("Jose"), text.rindex("Jose") + 5)


def test_a_word_ends_before_what_is_not_seen_behind_it():
    assert PlainText("Re\u00aded\u200b said").there((0, 4)) == (0, 5)


@given(
    st.lists(
        st.sampled_from(
            [
                "Mia",
                "Reed",
                "e\u0301",
                "q\u0301\u0300",
                "🙂",
                "\u00ad",
                "\u200b",
                " ",
                "  ",
                "\t",
                "\u00a0",
                "\n",
                "\r\n",
            ]
        )
    )
)
def test_every_run_of_words_is_found_there_and_back(pieces):
    text = "".join(pieces)
    plain = PlainText(text)
    words = [word.span() for word in re.finditer(r"[^\s\u00ad\u200b](?:\S*[^\s\u00ad\u200b])?", text)]
    for first in range(len(words)):
        for last in range(first, len(words)):
            span = words[first][0], words[last][1]
            assert plain.there(plain.here(span)) == span
            shown = re.sub("[\u00ad\u200b]", "", unicodedata.normalize("NFC", text[slice(*span)]))
            expected = re.sub(r"[^\S\r\n]+", " ", shown)
            assert plain.text[slice(*plain.here(span))].replace(" \n", "\n") == expected.replace(" \n", "\n")
    assert "  " not in plain.text
