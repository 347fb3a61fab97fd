"""Windows hold whole sentences, overlap, and read each sentence once, with right offsets."""

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stance
from stance.sentences import split
from stance.windows import CAPITALISED, LOWER, UPPER, assign_reads, group_sentences

lengths_and_budget = st.integers(5, 60).flatmap(
    lambda budget: st.tuples(
        st.lists(st.integers(1, budget), min_size=1, max_size=40), st.just(budget), st.integers(0, budget - 1)
    )
)


@given(lengths_and_budget)
def test_groups_fit_overlap_and_cover(case):
    lengths, budget, overlap = case
    groups = group_sentences(lengths, budget, overlap)
    assert groups[0][0] == 0
    assert groups[-1][1] == len(lengths)
    for first, last in groups:
        assert sum(lengths[first:last]) <= budget
    for (first, last), (following, end) in pairwise(groups):
        assert first < following <= last < end
        assert sum(lengths[following:last]) <= overlap


@given(lengths_and_budget)
def test_each_sentence_is_read_once_in_a_window_that_holds_it(case):
    lengths, budget, overlap = case
    groups = group_sentences(lengths, budget, overlap)
    reads = assign_reads(lengths, groups)
    assert [i for first, last in reads for i in range(first, last)] == list(range(len(lengths)))
    for (first, last), (begin, end) in zip(groups, reads, strict=True):
        assert first <= begin <= end <= last


def test_a_shared_sentence_goes_where_it_has_more_context():
    assert assign_reads([4, 4, 4, 4, 4], [(0, 4), (1, 5)]) == [(0, 3), (3, 5)]


def test_offsets_give_back_the_words(windower):
    text = "Ada Roy spoke.\n\n“It is false,” she said."
    (window,) = windower.windows(text, split(text))
    words = [text[start:end] for start, end in window.offsets[~window.is_marker]]
    assert "".join(words) == "".join(text.split())
    assert len(window) == len(window.sentence_ids) == len(window.surface_ids) == len(window.offsets)


def test_a_word_ends_behind_the_accent_of_its_last_letter():
    text = unicodedata.normalize("NFD", "José denied it to Renée Sangaré.")
    windower = stance.load().windower
    (window,) = windower.windows(text, split(text))
    words = [text[start:end] for start, end in window.offsets[~window.is_marker]]
    assert unicodedata.normalize("NFC", "".join(words)) == "JosédeniedittoRenéeSangaré."
    # A caller's sentences may part them.
    (parted,) = windower.windows(text, [(0, 4), (4, len(text))])
    assert parted.offsets[~parted.is_marker][0].tolist() == [0, 4]


@pytest.mark.parametrize(("opened", "closed"), ["“”", "„“", "„”"])
def test_a_quotation_is_open_until_its_own_mark(windower, opened, closed):
    text = f"{opened}One. Two.{closed} Three."
    end = text.index(closed) + 1
    (window,) = windower.windows(text, [(0, 5), (6, end), (end + 1, len(text))])
    _, inside, behind = window.surface_ids[1:][np.diff(window.sentence_ids) > 0]
    assert inside == behind + 1


def test_other_quotation_marks_do_not_reach_beyond_their_line(windower):
    text = "“One. Two.” Three."
    spans = [(0, 5), (6, 11), (12, 18)]
    (alone,) = windower.windows(text, spans)
    (among,) = windower.windows(f"{text}\n„No“ it said.", [*spans, (19, 32)])
    assert among.surface_ids[: len(alone)].tolist() == alone.surface_ids.tolist()


def test_surfaces_keep_capitals_line_breaks_and_open_quotations(windower):
    text = 'The UN a. B "one. Two." End.\nNext.\n\nLast.'
    spans = [(0, 9), (10, 17), (18, 23), (24, 28), (29, 34), (36, 41)]
    (window,) = windower.windows(text, spans)
    tokens = {text[a:b]: s for (a, b), s in zip(window.offsets, window.surface_ids, strict=True) if a < b}
    assert tokens["B"] == CAPITALISED
    assert tokens["a"] == LOWER
    markers = window.surface_ids[1:][np.diff(window.sentence_ids) > 0]
    same_line, in_quotation, new_line, new_paragraph = markers[1], markers[2], markers[4], markers[5]
    assert len({same_line, in_quotation, new_line, new_paragraph}) == 4
    assert markers[0] == new_paragraph
    assert {LOWER, CAPITALISED, UPPER}.isdisjoint(markers)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\v", "\f", "\u2028", "\u2029"])
def test_every_line_break_that_ends_a_sentence_is_one_to_the_network(windower, end):
    text = '"I did. He left.\nHe denied it.\n\nSo he said.'
    other = text.replace("\n", end)
    (expected,), (found,) = (windower.windows(one, split(one)) for one in (text, other))
    assert found.surface_ids.tolist() == expected.surface_ids.tolist()


def test_a_break_that_only_wraps_a_line_is_none_to_the_network(windower):
    text = (
        "Nobody was hurt by the fire, the harbour\npolice said. The ferry of the Reed Lines is\nlost. Two boats are, "
        "and nobody knows yet\nhow it began. They left it all behind, and\nso did we.\n\nHe said so."
    )
    plain = " ".join(text[:-13].split()) + text[-13:]
    wrapped, other = (windower.windows(one, split(one)) for one in (text, plain))
    assert [window.input_ids.tolist() for window in wrapped] == [window.input_ids.tolist() for window in other]
    assert [window.surface_ids.tolist() for window in wrapped] == [window.surface_ids.tolist() for window in other]


def test_every_window_reads_something(windower):
    lengths = [70, 6, 9, 6, 9, 70]
    text = " ".join(" ".join(["a"] * length) + "." for length in lengths)
    windows = windower.windows(text, split(text))
    assert all(first < last for first, last in (window.read for window in windows))
    assert [i for window in windows for i in range(*window.read)] == list(range(len(split(text))))


def test_a_sentence_longer_than_a_window_is_cut_not_lost(windower):
    text = "a " * 5000 + "b."
    windows = windower.windows(text, split(text))
    assert [window.read for window in windows] == [(0, 1)]
    assert len(windows[0]) == windower.window


@pytest.mark.parametrize(
    "text", ["\x00", "\ud800 x", "a \ud83d\ude00 b \ud800", "👩‍👩‍👧", "é́", "שלום עולם.", "...", "\u200b"]
)
def test_odd_characters_keep_offsets_in_range(windower, text):
    for window in windower.windows(text, split(text)):
        assert window.offsets.min() >= 0
        assert window.offsets.max() <= len(text)


def test_no_sentences_make_no_windows(windower):
    assert windower.windows("", []) == []


def test_overlap_must_be_smaller_than_the_window(windower):
    with pytest.raises(ValueError, match="overlap"):
        type(windower)(windower.tokenizer, 2, 3, window=16, overlap=16)
