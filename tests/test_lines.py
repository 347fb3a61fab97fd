"""Wrapped lines: which line breaks only wrap a text to the width of a page."""

import textwrap
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.lines import LINE_BREAKS, unwrap

HEADLINE = "Two hurt as a ferry hits the pier"
PARAGRAPHS = [
    "The ferry hit the pier of the old harbour at noon, and two were hurt, the harbour master Lena Ortiz said. "
    '"Nobody had warned us of the wind," she said. The owner of the ferry, Reed Lines, denied that it had been told. '
    "A court will hear the case of the two on Monday, and it may take years before they know who pays for what.",
    "Ortiz did not speak of the pier. It had been closed for a week, as the mayor wrote on Tuesday, and nobody knew "
    "why it was open that day, or who had let them in.",
]


def wrap(width, between="\n\n"):
    return between.join([HEADLINE, *(textwrap.fill(paragraph, width) for paragraph in PARAGRAPHS)])


def lines(text):
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\u2028", " \n  "])
@pytest.mark.parametrize("width", [45, 72, 100])
def test_a_wrapped_text_is_its_paragraphs(width, line_break):
    assert lines(unwrap(wrap(width).replace("\n", line_break))) == [HEADLINE, *PARAGRAPHS]


@pytest.mark.parametrize("width", [45, 72, 100])
def test_paragraphs_need_no_blank_lines_between_them(width):
    assert lines(unwrap(wrap(width, "\n"))) == [HEADLINE, *PARAGRAPHS]


def test_what_stands_around_the_wrapped_lines_stays_as_it_is():
    before = [
        "From: Lena Ortiz of the harbour office of Selm and Port Arno, east pier",
        "To: Reed Lines",
        f"https://example.org/{'a' * 120}",
        "x" * 99,
        "Harbour master denies that she knew of the wind before two were h",
        "Owners of the ferry say that nobody told them of the wind at noon",
        "_" * 70,
    ]
    after = [
        "1. Who was hurt by the ferry that hit the pier of the old harbour, why",
        "2. Who pays for the pier, and for the ferry, and for the two who were",
        "- the owners",
        "* the harbour",
        "By Lena Ortiz",
        "Ortiz: Nobody.",
        "=" * 70,
        "Reed Lines",
    ]
    text = "\n".join([*before, wrap(72), *after])
    assert lines(unwrap(text)) == [*before, HEADLINE, *PARAGRAPHS, *after]


def test_one_line_in_ten_may_be_too_long():
    longer = wrap(45).replace("had warned us of", "had ever told me or anybody of the crew of")
    assert lines(unwrap(f"{longer}\n\n{wrap(45)}"))[-3:] == [HEADLINE, *PARAGRAPHS]


def test_lines_of_print_may_have_fewer_letters_than_others():
    narrow, wide = textwrap.wrap(PARAGRAPHS[0], 60), textwrap.wrap(PARAGRAPHS[1], 68)
    assert lines(unwrap("\n".join([*narrow, "", *wide]))) == PARAGRAPHS


@pytest.mark.parametrize(
    "text",
    [
        # headlines and menus, in small letters too
        "share this article with your friends\nprint it\nhelp\nsubscribe to the daily newsletter of the Harbour Post",
        "home\nnews\nsport\nhelp\nlogin\nterms\nabout",
        "Mayor denies that the bridge was unsafe\nMayor leaves after the vote on the bridge\nFerry hits the pier again",
        "Mayor denies that the bridge was unsafe\niPhone makers sue the harbour of Selm\nFerry hits the pier again",
        "Ferry hits the pier of the old harbour\nby Lena Ortiz\nTwo were hurt at noon",
        "Read more of this at\nhttps://example.org/ferry\nhttps://example.org/mayor\nhttps://example.org/court",
        # a sentence or a speaker a line
        "The mayor said that the bridge was safe.\nThe union said that he knew of it all.\nHe denied it on Monday.",
        "ORTIZ: Did you know of the wind that day\nREED: I did not, and nobody told us so\nORTIZ: They say they did",
        "ortiz: did you know of the wind that day\nreed: i did not, and nobody told us so\nortiz: they say they did\n"
        "reed: they lie, as they always did to us",
        # items in small letters
        "a) whether the owners knew of the wind\nb) whether the harbour master told them\nc) whether they pay for it\n"
        "d) whether the ferry may leave again",
        # results
        "Selm 2 Port Arno 1, after extra time\nOstby 0 Harrow Wells 3, second half\nWells 1 Selm 1, on Monday",
        # broken amid a sentence, but not where a line is full
        "The mayor, who had been told of it all by\nthe harbour master before noon, as the owner of the ferry had been "
        "in a letter,\ndenied that he knew of it, and then the\nunion of those who work there said that he had lied to "
        "them,\nas he had before.",
        # wrapped, but too short to tell
        "Nobody was hurt by the fire, the police\nsaid.",
    ],
)
def test_other_texts_stay_as_they_are(text):
    assert unwrap(text) is text


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(wrap(45).split("\n")) | st.text(max_size=9)),
    st.lists(st.sampled_from(["\n", "\r\n", "\n\n", "\u2028", " \n\t"]), min_size=1),
)
def test_only_line_breaks_change_and_into_spaces(parts, breaks):
    text = "".join(part + breaks[number % len(breaks)] for number, part in enumerate(parts))
    unwrapped = unwrap(text)
    assert len(unwrapped) == len(text)
    for before, after in zip(text, unwrapped, strict=True):
        assert before == after or (before in LINE_BREAKS and after == " ")


@pytest.mark.parametrize("unit", [wrap(45), "\n", " \n", "a" * 60 + "\n", "a\n", "A" * 99 + "\n", "a" * 99 + " "])
def test_unwrapping_takes_linear_time(unit):
    text = unit * (400_000 // len(unit))
    started = time.process_time()
    unwrap(text)
    assert time.process_time() - started < 4  # quadratic time would be minutes
