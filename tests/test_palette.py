"""The palette: readable by everybody, and never the only sign."""

from itertools import combinations

import pytest

from stance.document import LABELS
from stance.palette import DARK, LIGHT, MARKS, stylesheet

# How cones that are missing mix red, green and blue (Machado, Oliveira and Fernandes, 2009).
VISIONS = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]


def luminance(colour):
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(colour, vision):
    red, green, blue = (
        min(max(sum(weight * value for weight, value in zip(row, linear(colour), strict=True)), 0), 1) for row in vision
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    x, y, z = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_the_measure_of_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_label_has_its_own_sign_and_colours():
    assert set(MARKS) == set(LABELS)
    for part in ("sign", "verb", "light", "dark", "terminal"):
        assert len({getattr(mark, part) for mark in MARKS.values()}) == len(LABELS)
    with pytest.raises(TypeError):
        MARKS[LABELS[0]] = MARKS[LABELS[1]]


@pytest.mark.parametrize("label", LABELS)
def test_labels_are_readable_on_their_paper(label):
    mark = MARKS[label]
    assert contrast(mark.light, LIGHT.paper) >= 4.5
    assert contrast(mark.dark, DARK.paper) >= 4.5
    assert min(contrast(mark.terminal, paper) for paper in ("#000000", "#ffffff")) >= 4.5


@pytest.mark.parametrize("paper", [LIGHT, DARK])
def test_text_is_readable(paper):
    assert contrast(paper.ink, paper.paper) >= 7
    assert contrast(paper.quiet, paper.paper) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_colours_are_told_apart_by_every_kind_of_eye(scheme, vision):
    for one, other in combinations(MARKS.values(), 2):
        places = [lab(getattr(mark, scheme), VISIONS[vision]) for mark in (one, other)]
        distance = sum((a - b) ** 2 for a, b in zip(*places, strict=True)) ** 0.5
        assert distance >= 15, (one.verb, other.verb)


def test_the_stylesheet_has_light_and_dark():
    css = stylesheet(".x")
    assert css.count(".x {") == css.count("--stance-denial:") == css.count("--stance-paper:") == 2
    assert MARKS[LABELS[0]].light in css.partition("prefers-color-scheme: dark")[0]
    assert MARKS[LABELS[0]].dark in css.partition("prefers-color-scheme: dark")[2]
