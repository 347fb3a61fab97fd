"""Logits become probabilities, decisions and spans."""

import numpy as np
import pytest

from stance import decoding
from stance.decoding import read_window, softmax
from stance.engines import Logits
from stance.sentences import split
from stance.settings import Settings

TEXT = "Ada Roy denied it. Nobody else spoke."


def decode(text, windows, outs, settings):
    found = [read_window(text, window, out) for window, out in zip(windows, outs, strict=True)]
    return decoding.decode(windows, found, settings)


@pytest.fixture
def window(windower):
    (window,) = windower.windows(TEXT, split(TEXT))
    return window


def logits(window, *, mention=("Ada", "Roy"), labels=((0, 5, 0, 0), (5, 0, 0, 0))):
    tokens = len(window)
    pointer = np.zeros((2, 2, tokens), dtype=np.float32)
    tag = np.full((tokens, 3), -5.0, dtype=np.float32)
    starts = {TEXT[a : a + 3]: i for i, (a, b) in enumerate(window.offsets) if a < b}
    pointer[0, 0, starts[mention[0]]] = pointer[0, 1, starts[mention[1]]] = 9
    pointer[1, :, 0] = 9
    tag[starts["den"], 1] = 5
    return Logits(np.array(labels, dtype=np.float32), pointer, pointer, pointer, tag)


def test_every_sentence_is_read_once_with_scores_that_sum_to_one(window):
    readings = decode(TEXT, [window], [logits(window)], Settings())
    assert [reading.label for reading in readings] == [1, 0]
    assert sum(readings[0].scores) == pytest.approx(1)


def test_spans_are_whole_words_of_the_article(window):
    first, second = decode(TEXT, [window], [logits(window)], Settings())
    assert TEXT[slice(*first.mention.spans[0])] == "Ada Roy"
    assert TEXT[slice(*first.cue)] == "denied"
    assert second.cue is None


def test_of_two_spans_found_alike_the_shorter_is_likelier(window):
    out = logits(window)
    starts = {TEXT[a : a + 3]: i for i, (a, b) in enumerate(window.offsets) if a < b}
    out.mention[0, 1, starts["Ada"]] = 9
    first, _ = decode(TEXT, [window], [out], Settings())
    assert [TEXT[slice(*span)] for span in first.mention.spans[:2]] == ["Ada", "Ada Roy"]


def test_the_first_position_means_none(window):
    first, second = decode(TEXT, [window], [logits(window)], Settings())
    assert first.mention.none < 0.1
    assert second.mention.none > 0.9


def test_temperature_softens_without_changing_the_label(window):
    sharp = decode(TEXT, [window], [logits(window)], Settings())[0]
    soft = decode(TEXT, [window], [logits(window)], Settings(temperature=3.0))[0]
    assert soft.label == sharp.label
    assert max(soft.scores) < max(sharp.scores)


def test_a_bias_makes_a_label_less_likely(window):
    plain = decode(TEXT, [window], [logits(window)], Settings())[0]
    biased = decode(TEXT, [window], [logits(window)], Settings(label_bias=(0.0, -1.0, 0.0, 0.0)))[0]
    odds = [reading.scores[1] / reading.scores[0] for reading in (plain, biased)]
    assert odds[1] == pytest.approx(odds[0] / np.e)


def test_label_weights_change_decisions_but_no_probability(window):
    close = logits(window, labels=((1.0, 0.9, 0, 0), (5, 0, 0, 0)))
    plain = decode(TEXT, [window], [close], Settings())[0]
    weighted = decode(TEXT, [window], [close], Settings(label_weights=(1.0, 1.5, 1.0, 1.0)))[0]
    assert (plain.label, weighted.label) == (0, 1)
    assert plain.scores == weighted.scores


def test_a_label_is_read_from_every_window_that_holds_the_sentence(windower):
    text = " ".join(f"Speaker number {number} denied all of it." for number in range(40))
    windows = windower.windows(text, split(text))
    shared = windows[1].first
    outs = [_flat(window) for window in windows]
    assert shared < len(outs[0].label)
    apart = decode(text, windows, outs, Settings())
    outs[0].label[shared - windows[0].first] = (0, 4, 0, 0)
    outs[1].label[0] = (0, 0, 2, 0)
    together = decode(text, windows, outs, Settings())
    assert together[shared].scores == pytest.approx(softmax(np.array([0.0, 2.0, 1.0, 0.0])))
    assert [one for one, other in zip(apart, together, strict=True) if one != other] == [apart[shared]]


def _flat(window):
    sentences, tokens = int(window.sentence_ids[-1]) + 1, len(window)
    pointer = np.zeros((sentences, 2, tokens), dtype=np.float32)
    return Logits(np.zeros((sentences, 4), np.float32), pointer, pointer, pointer, np.zeros((tokens, 3), np.float32))


def test_softmax_of_large_numbers_is_finite():
    assert softmax(np.array([1e4, 0.0], dtype=np.float32)).tolist() == [1.0, 0.0]


def test_a_name_does_not_run_over_the_end_of_its_sentence(window):
    first, _ = decode(TEXT, [window], [logits(window, mention=("it.", "Nob"))], Settings())
    assert all(end <= TEXT.index(" Nobody") for _, end in first.mention.spans)


def test_a_cue_is_a_run_of_tokens_and_ends_with_its_sentence(window):
    out = logits(window)
    out.tag[:, 1] = 4
    first, second = decode(TEXT, [window], [out], Settings())
    assert [TEXT[slice(*one.cue)] for one in (first, second)] == ["Ada Roy denied it.", "Nobody else spoke."]
