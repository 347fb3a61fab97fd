"""Assembly: what was read becomes a document, whatever the settings."""

import math

import pytest

from stance.assembly import assemble
from stance.decoding import Candidates, Reading
from stance.settings import Settings


@pytest.mark.parametrize("slope", [1.0, 60.0, 1e6])
@pytest.mark.parametrize("none", [0.0, 1e-9, 0.4, 1.0])
def test_every_calibration_gives_a_probability(slope, none):
    text = "Ann left."
    nobody = Candidates((), (), 1.0)
    reading = Reading((0.9, 0.05, 0.03, 0.02), 0, Candidates(((0, 3),), (1 - none,), none), nobody, nobody, None)
    settings = Settings(speaker_calibration=(slope, 0.0))
    document = assemble(None, text, [(0, 9)], [reading], settings, None)
    confidence = document.sentences[0].speaker_confidence
    assert confidence is not None
    assert 0.0 <= confidence <= 1.0


TEXT = "Ann denied it."
NOBODY = Candidates((), (), 1.0)
PLAIN = Settings()


def assembled(settings=PLAIN, min_confidence=None, author=0.1, scores=(0.1, 0.8, 0.06, 0.04)):
    """The sentence that a reading becomes: Ann mentioned, "denied" as the cue."""
    ann = Candidates(((0, 3),), (1 - author,), author)
    reading = Reading(scores, scores.index(max(scores)), ann, NOBODY, NOBODY, (4, 10))
    (sentence,) = assemble("a", TEXT, [(0, 14)], [reading], settings, min_confidence).sentences
    return sentence


def test_the_evidence_is_that_of_the_reading():
    one = assembled()
    assert (one.speaker.name, one.mention.text, one.cue.text) == ("Ann", "Ann", "denied")
    assert one.speaker.aliases == ("Ann",)
    nothing = assembled(scores=(0.1, 0.06, 0.04, 0.8))
    assert nothing.speaker is nothing.mention is nothing.cue is None


@pytest.mark.parametrize(("least", "marked"), [(None, False), (0.0, False), (0.8, False), (0.81, True), (1.0, True)])
def test_what_lies_below_the_confidence_asked_for_is_marked(least, marked):
    assert assembled(min_confidence=least).abstained is marked


@pytest.mark.parametrize(("threshold", "kind"), [(0.3, "author"), (0.5, "source")])
def test_the_model_says_from_where_on_a_sentence_is_the_authors(threshold, kind):
    assert assembled(Settings(author_threshold=threshold), author=0.4).speaker.kind == kind


def test_the_speakers_log_odds_are_scaled_and_shifted():
    assert assembled().speaker_confidence == pytest.approx(0.9)
    assert assembled(Settings(speaker_calibration=(0.5, 1.0))).speaker_confidence == pytest.approx(
        1 / (1 + math.exp(-(0.5 * math.log(9) + 1)))
    )
