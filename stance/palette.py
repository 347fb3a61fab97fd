"""How labels look, everywhere: their signs and colours in the terminal, in HTML, in plots and on the web page."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from stance.document import Label

if TYPE_CHECKING:
    from collections.abc import Mapping


class Mark(NamedTuple):
    """How a label looks. Colours are ``#rrggbb``.

    Args:
        sign: A character that tells the label where there are no colours.
        verb: What a speaker does with it; nothing for ``none``.
        light: Its colour on light paper.
        dark: Its colour on dark paper.
        terminal: Its colour where the paper is not known: readable on black and on white.

    """

    sign: str
    verb: str
    light: str
    dark: str
    terminal: str


MARKS: Mapping[Label, Mark] = MappingProxyType(
    {
        Label.ASSERTION: Mark("+", "asserts", "#1d5a96", "#82b6f0", "#2978c2"),
        Label.DENIAL: Mark("-", "denies", "#8f5600", "#e6b450", "#a66709"),
        Label.ALLEGATION: Mark("!", "alleges", "#a3123f", "#ff90b0", "#e02655"),
        Label.NONE: Mark("·", "", "#73716a", "#86847e", "#77766e"),
    }
)


class Paper(NamedTuple):
    """What labels lie on.

    Args:
        paper: The background.
        ink: The text.
        quiet: Text of less weight, readable still.
        rule: Lines between things.

    """

    paper: str
    ink: str
    quiet: str
    rule: str


LIGHT = Paper("#fbfaf6", "#1c1b19", "#67655f", "#dcd9cf")
DARK = Paper("#161618", "#e9e7e1", "#9f9d96", "#38383c")


def stylesheet(selector: str) -> str:
    """Write the palette as CSS variables, for light and for dark.

    Args:
        selector: The elements that shall have them.

    Returns:
        CSS: ``--stance-paper``, ``--stance-ink`` and so on, and for each label variables such as ``--stance-denial``
        and ``--stance-denial-sign``.

    Example:
        >>> stylesheet(":root").splitlines()[0][:42]
        ':root { color-scheme: light dark; --stance'

    """
    light, dark = _variables(LIGHT, "light"), _variables(DARK, "dark")
    return (
        f"{selector} {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}\n"
    )


def percent(probability: float | None) -> str:
    """Write a probability as whole percent, and nothing for None.

    Example:
        >>> percent(0.934)
        '93%'

    """
    return "" if probability is None else f"{probability:.0%}"


def _variables(paper: Paper, scheme: str) -> str:
    values = {**paper._asdict(), **{label.value: getattr(mark, scheme) for label, mark in MARKS.items()}}
    values |= {f"{label}-sign": f'"{mark.sign}"' for label, mark in MARKS.items()}
    return " ".join(f"--stance-{name}: {value};" for name, value in values.items())
