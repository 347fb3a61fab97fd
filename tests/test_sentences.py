"""Sentence boundaries: behaviour on small own sentences, and what holds for any text at all."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.sentences import check_boundaries, split


def cut(text):
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize("text", ["", " ", "\n\n", " \t\r\n\u2028\f "])
def test_blank_text_has_no_sentences(text):
    assert split(text) == []


# Each article is written with | where it must be split.
@pytest.mark.parametrize(
    "marked",
    [
        "One came. |Two left! |Did three? |Nobody knows",
        # titles, initials, places, times, numbers
        "Mr. Roe met Sen. Poe and Dr. Doe. |They ate.",
        "Gen. J. A. Roe and St. Poe met Ann B. Doe. |A. B. Poe did not.",
        "The U.S. Navy left the U.S. |The ship sank.",
        "The U.S. “clearly” lost.",
        "It opens at 9 a.m. Monday. |It shuts at 5 p.m. |Mr. Roe has the key.",
        "Roe Inc. and Poe Co. merged. |Doe works at Roe Inc. |She likes it.",
        "Ann Poe (D-Calif.) left and Jim Doe (R-Ohio), of the Bros. club, did not.",
        "He came on Sept. 3. |He was No. 1 in Aug. |Rain fell.",
        "Is it No. 7 or 8? |No. |Prices rose 4.5 to $8.08. |Roe won 4-1. |Poe lost.",
        "REP. ROE WINS NO. 1 SPOT. |HE THANKS ST. POE",
        "She lives in LA. |Roe does not.",
        "This was Plan B. |The next was Plan C.",
        "He said he didn't. |Roe left AT&T. |Poe left the SEC. |A lawyer stayed on Main St. |The mayor left St. Poe.",
        "Vs. Roe he won 2-1, Batman Vs. Poe not.",
        # marks inside names, lower case after a stop, brands
        "She left Yahoo! to write. |Yahoo! News said so.",
        "He owns straps. |but she does not. |iPhones ring. |3 people left.",
        "We met at Sqn. headquarters.",
        # quotations
        '"Where were you?" he asked. |"At home!" she said.',
        "“I left.” |“So did I.” |He said ‘no.’ |She did not",
        "He called it \"a lie\". |'Jail!' |Roe shouted. |''Never,'' he said.",
        '"That is it." |(He left.) |[Then he came back.] |«Oui.» |She stayed.',
        "He said: „I left.“ |She „never“ did. |„Jail!“ |„For whom?” |“ So he said.",
        "“He said, ‘I left.’ ” he recalled. |“It was great. ” |Roe said: “Then ‘Go!’ ”",
        # ellipses
        "Well... maybe. |I waited… |Nobody came. |It ended. ... |They left. . . . |We stayed.",
        "... I must go. |“… So must I.”",
        # lists
        "1. Roe won. |2. Poe lost.",
        # interviews
        "Q. Why did you go? |A. The mayor lied.",
        # line breaks end a sentence, with or without a stop
        "A headline\n\n|First line.\r\n|- a bullet\n|- another;\f|page\u2028|line\v|tab\r|end",
        # a stop without white space is part of a word
        "See roe.example.com/a.b?c=d now. |It said so.It did.",
        # other scripts and signs
        "نعم. |لا! |שלום. |Cafe\u0301. |Great! |😀 Then all left. |\ud800. |\0",
        # mojibake separators are no line breaks
        "He said \x1cyes\x1d and\x85 left.",
    ],
)
def test_split(marked):
    assert cut(marked.replace("|", "")) == [part.strip() for part in marked.split("|")]


@pytest.mark.parametrize("space", "\u3000\u2002\u2003\x85\x1c")
def test_white_space_of_any_kind_is_no_sentence(space):
    assert split(f"He left.{space} ") == [(0, 8)]


def test_white_space_around_sentences_is_left_out():
    assert split("  One.\xa0 Two.\t\n\n  Three ") == [(2, 6), (8, 12), (17, 22)]


SNIPPETS = st.sampled_from(
    [
        "Mr.",
        "U.S.",
        "The",
        "he",
        " ",
        "  ",
        ". ",
        "...",
        "…",
        "?",
        "! ",
        '"',
        "”",
        "’",
        "(",
        "1.",
        "\n",
        "\u3000",
        "\x85",
    ]
)


WRAPPED = [
    "The ferry hit the pier of the old harbour at",
    "noon, and two were hurt, the harbour master",
    'said. She left. "The owner has denied that it',
    'had been told of the wind." A court will hear',
    "the case.",
]


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters())
    | st.lists(SNIPPETS | st.text(max_size=2)).map("".join)
    | st.lists(st.sampled_from(WRAPPED) | SNIPPETS, min_size=4).map("\n".join)
)
def test_every_visible_character_is_in_exactly_one_sentence(text):
    spans = split(text)
    covered = [index for start, end in spans for index in range(start, end)]
    assert covered == sorted(set(covered))
    assert {index for index, character in enumerate(text) if not character.isspace()} <= set(covered)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert check_boundaries(text, spans) == spans


@settings(max_examples=60, deadline=None)
@given(st.lists(SNIPPETS | st.text(max_size=2)).map("".join), st.text(max_size=20))
def test_lines_are_split_on_their_own_where_one_is_too_long_for_a_page(text, more):
    text, more = f"{'x' * 121}\n{text}", f"{more}\n{'x' * 121}"
    moved = [(start + len(text) + 1, end + len(text) + 1) for start, end in split(more)]
    assert split(text + "\n" + more) == split(text) + moved


def test_wrapped_lines_are_no_sentences():
    text = (
        "Two hurt as a ferry hits the pier\n\nThe ferry hit the pier of the old harbour at\nnoon, and two were hurt, "
        "the harbour master\nsaid. She left. The owner has denied that it\nhad been told of the wind. A court will "
        "hear\nthe case.\nIt may take years."
    )
    assert [" ".join(sentence.split()) for sentence in cut(text)] == [
        "Two hurt as a ferry hits the pier",
        "The ferry hit the pier of the old harbour at noon, and two were hurt, the harbour master said.",
        "She left.",
        "The owner has denied that it had been told of the wind.",
        "A court will hear the case.",
        "It may take years.",
    ]


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        ".",
        '"',
        '."',
        ". ",
        "A. ",
        " ",
        "\n",
        ".\n",
        ". (",
        "!?,;:",
        "\0",
        "." + '"' * 999,
        "." + " " * 999,
        "x" * 50 + "\n",
    ],
)
def test_odd_text_takes_linear_time(unit):
    text = unit * (200_000 // len(unit))
    started = time.process_time()
    check_boundaries(text, split(text))
    assert time.process_time() - started < 2  # quadratic time would be minutes


def test_a_sentence_may_be_very_long():
    text = "word " * 20_000
    assert split(text) == [(0, len(text) - 1)]


def test_check_boundaries_returns_the_pairs_as_tuples():
    assert check_boundaries("One. Two.", [[0, 5], (5, 9)]) == [(0, 5), (5, 9)]
    assert check_boundaries("One. Two.", iter([(0, 4), (5, 9)])) == [(0, 4), (5, 9)]
    assert check_boundaries(" ", []) == []


@pytest.mark.parametrize("spans", [np.array([[0, 4], [5, 9]]), [(np.int64(0), np.uint8(4)), (5, 9)]])
def test_numbers_and_rows_of_arrays_become_plain_pairs(spans):
    checked = check_boundaries("One. Two.", spans)
    assert checked == [(0, 4), (5, 9)]
    assert {type(number) for pair in checked for number in pair} == {int}


@pytest.mark.parametrize(
    ("spans", "error", "message"),
    [
        (7, TypeError, "sentences: must be a list of pairs"),
        ("ab", TypeError, "sentence 0: must be a pair"),
        ([(0, 4), (5, 9, 1)], TypeError, "sentence 1: must be a pair"),
        ([(0, 4.0)], TypeError, r"sentence 0: start and end must be whole numbers \(int\), not 0 and 4.0"),
        ([(False, True)], TypeError, "sentence 0: start and end must be whole numbers"),
        (np.array([[0.0, 9.0]]), TypeError, "sentence 0: start and end must be whole numbers"),
        (np.array([[False, True]]), TypeError, "sentence 0: start and end must be whole numbers"),
        (np.array([0, 9]), TypeError, "sentence 0: must be a pair"),
        ([(0, 4), (5, 10)], ValueError, r"sentence 1: \(5, 10\) must satisfy 0 <= start < end <= 9"),
        ([(-4, 9)], ValueError, "sentence 0: .* must satisfy"),
        ([(3, 3)], ValueError, "sentence 0: .* must satisfy"),
        ([(0, 5), (4, 9)], ValueError, "sentence 1: starts at 4, before the end 5"),
        ([(0, 4), (4, 5), (5, 9)], ValueError, r"sentence 1: \(4, 5\) is only white space; leave it out"),
        ([(1, 9)], ValueError, "before sentence 0: 'O' at 0 lies in no sentence"),
        ([(0, 4), (6, 9)], ValueError, "before sentence 1: 'T' at 5 lies in no sentence"),
        ([(0, 4)], ValueError, "after the last sentence: 'Two.' at 5 lies in no sentence"),
        ([], ValueError, "after the last sentence: 'One. Two.' at 0 lies in no sentence"),
    ],
)
def test_check_boundaries_says_what_is_wrong(spans, error, message):
    with pytest.raises(error, match=message):
        check_boundaries("One. Two.", spans)
