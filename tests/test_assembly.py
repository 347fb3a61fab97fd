"""Assembly: what was read becomes a document, whatever the settings."""

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
