"""The settings that a model needs at inference, stored in its ``config.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Settings:
    """How a trained model reads articles and how its scores become probabilities.

    Args:
        window: Longest window in tokens, the special tokens included.
        overlap: Tokens of the window before that a window repeats, at most.
        temperature: Divides the label logits (Guo et al., 2017, https://arxiv.org/abs/1706.04599).
        label_weights: Weight of each label's probability when the label is decided, in the order of ``LABELS``;
            rare labels weigh more, because macro-F1 counts every label alike.
        author_threshold: Least probability at which a statement is the author's own.
        speaker_calibration: Slope and intercept of Platt scaling for the speaker's confidence.

    """

    window: int = 512
    overlap: int = 128
    temperature: float = 1.0
    label_weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    author_threshold: float = 0.5
    speaker_calibration: tuple[float, float] = (1.0, 0.0)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Build settings from JSON values.

        Raises:
            ValueError: If a key is unknown.

        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"unknown settings {unknown}; known are {sorted(known)}")
        # JSON knows no tuples.
        fixed: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**fixed)

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """Read the settings of the model in ``folder``."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return cls.from_dict(config["settings"])
