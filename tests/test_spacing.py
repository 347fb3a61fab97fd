"""Even spacing: words are read as if one space stood in each gap, and found again where they were."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.spacing import EvenlySpaced


@pytest.mark.parametrize("gap", ["  ", "\t", " \u2009 ", "\u00a0", "      "])
def test_every_gap_is_one_space(gap):
    text = gap.join(["The", "mayor", "spoke."])
    even = EvenlySpaced(text)
    assert even.text == "The mayor spoke."
    assert even.here((text.index("mayor"), len(text))) == (4, 16)
    assert even.there((4, 9)) == (text.index("mayor"), text.index("mayor") + 5)


def test_lines_stay_apart():
    assert EvenlySpaced("The  mayor\n\n  spoke.\r\nTwice.").text == "The mayor\n\n spoke.\r\nTwice."


@given(st.lists(st.sampled_from(["Mia", "Reed", "é", "🙂", " ", "  ", "\t", "\u00a0", "\n", "\r\n", "   \u3000"])))
def test_every_run_of_words_is_found_there_and_back(pieces):
    text = "".join(pieces)
    even = EvenlySpaced(text)
    words = [word.span() for word in re.finditer(r"\S+", text)]
    for first in range(len(words)):
        for last in range(first, len(words)):
            span = words[first][0], words[last][1]
            assert even.there(even.here(span)) == span
            assert even.text[slice(*even.here(span))].split() == text[slice(*span)].split()
