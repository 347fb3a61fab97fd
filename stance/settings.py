"""The settings that a model needs at inference, stored in its ``config.json``."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from stance.integrity import reading


@dataclass(frozen=True)
class Settings:
    """How a trained model reads articles and how its scores become probabilities.

    Args:
        window: Longest window in tokens, the special tokens included.
        overlap: Tokens of the window before that a window repeats, at most.
        temperature: Divides the label logits (Guo et al., 2017, https://arxiv.org/abs/1706.04599).
        label_bias: Added to each label's logit then, in the order of ``LABELS`` (Alexandari et al., 2020,
            https://arxiv.org/abs/1901.06852): training weighs rare labels more, so that they come out too likely.
        label_weights: Weight of each label's probability when the label is decided, in the order of ``LABELS``;
            rare labels weigh more, because macro-F1 counts every label alike.
        author_threshold: Least probability at which a statement is the author's own.
        speaker_calibration: Slope and intercept of Platt scaling for the speaker's confidence.

    """

    window: int = 512
    overlap: int = 128
    temperature: float = 1.0
    label_bias: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    label_weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    author_threshold: float = 0.5
    speaker_calibration: tuple[float, float] = (1.0, 0.0)

    def __post_init__(self) -> None:
        """Refuse values that would fail, or mislead, only when an article is read."""
        several = (self.label_bias, self.label_weights, self.speaker_calibration)
        if [len(own) if isinstance(own, tuple) else 0 for own in several] != [4, 4, 2]:
            raise ValueError("label_bias and label_weights are four numbers each, speaker_calibration are two")
        labels = (*self.label_bias, *self.label_weights)
        numbers = (self.temperature, *labels, self.author_threshold, *self.speaker_calibration)
        if not all(isinstance(number, float | int) and math.isfinite(number) for number in numbers):
            raise ValueError(f"every setting is a finite number, or some of them, which does not hold for {self}")
        if min(self.temperature, *self.label_weights) <= 0:
            raise ValueError("temperature and label_weights must be above 0")
        if not 0 <= self.author_threshold <= 1:
            raise ValueError(f"author_threshold is a probability, not {self.author_threshold}")
        if not all(type(size) is int for size in (self.window, self.overlap)) or self.window < 3:
            found = f"{self.window!r} and {self.overlap!r}"
            raise ValueError(f"window is a whole number from 3 on and overlap one from 0 on, not {found}")
        if not 0 <= self.overlap < self.window:
            raise ValueError(f"overlap must be at least 0 and less than window, not {self.overlap} and {self.window}")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Build settings from JSON values.

        Raises:
            ValueError: If a key is unknown, or a value is of the wrong kind or out of range.

        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"unknown settings {unknown}; known are {sorted(known)}")
        # JSON knows no tuples.
        fixed: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**fixed)

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """Read the settings of the model in ``folder``.

        Raises:
            stance.integrity.ModelError: If its ``config.json`` is broken.

        """
        with reading(folder / "config.json"):
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            return cls.from_dict(config["settings"])
