"""Training recipes: what a YAML file under ``configs/`` may say, checked before anything runs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import reprlib
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)


class ConfigurationError(ValueError):
    """A recipe is wrong, or not that of its output folder; the message names the file and what is at fault."""


def _existing(path: str) -> str:
    expanded = os.path.expandvars(path)
    if unset := re.search(r"\$\{?(\w+)", expanded):
        raise ValueError(f"the environment variable {unset.group(1)} is not set; it must be the folder of the data")
    if not Path(expanded).is_file():
        raise ValueError(f"there is no file {expanded!r}")
    return expanded


def sha256(path: Path) -> str:
    """Hash a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


DataFile = Annotated[str, AfterValidator(_existing)]


# YAML takes 3e-5, which has no dot, for a word.
Number = Annotated[
    float,
    BeforeValidator(lambda given: float(given) if isinstance(given, str) else given),
    Field(allow_inf_nan=False),
]
_FOLDERS = ("start", "average", "model")
_SAYS_ALL = ("missing", "extra_forbidden", "value_error")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Source(_Strict):
    """A corpus of a stage.

    Args:
        reader: How its file is read, see ``training.corpora.read_source``.
        path: The file; environment variables are filled in.
        tags: For labelled articles, a PolNeAR file with attributions of some of them.
        evidence: For labelled articles, a file that marks the words by which they deny or accuse.
        articles: For stand-off labels, the files that hold the texts.
        every_window: Whether an epoch reads all its windows, where the stage's ``plain_share`` leaves some out.

    """

    reader: Literal["labelled", "standoff", "polnear", "gum", "gap"]
    path: DataFile
    tags: DataFile | None = None
    evidence: DataFile | None = None
    articles: tuple[DataFile, ...] = ()
    every_window: bool = False

    @model_validator(mode="after")
    def _only_what_its_reader_reads(self) -> Source:
        for name, reader in (("tags", "labelled"), ("evidence", "labelled"), ("articles", "standoff")):
            if getattr(self, name) and self.reader != reader:
                raise ValueError(f"{name} is for the reader {reader}, not for {self.reader}; leave it out")
        return self


class LossWeights(_Strict):
    """Weights of the losses of the speaker's name and of the accused, beside 1 for the label's."""

    name: Number = 0.5
    target: Number = 0.5


class Stage(_Strict):
    """One run over some corpora.

    Args:
        name: Names the folder of its checkpoints.
        sources: What it trains on.
        start: Stages from the mean of whose final weights it starts; none takes the stage before.
        teacher: Recipe of a larger model, which is trained first, and from which the stage learns too, see
            ``training.distillation``.
        batch_size: Windows a step on one device; by default the recipe's.
        epochs: How often it sees each article.
        learning_rate: Its highest, after the warm-up.
        head_rate: Factor on the learning rate for the heads, which know less than the encoder.
        word_dropout: Share of the tokens that are hidden from the encoder (Iyyer et al., 2015).
        renaming: How likely the speakers and accused of a window get names of others.
        plain_share: Share of the windows without a denial or an allegation that an epoch reads, other ones each time;
            the others have more to teach.
        averaging: Decay of the exponential moving average of the weights that is kept; 0 keeps the last weights.
        loss_weights: Weights of some losses.
        select: Whether the epoch that scores best on ``evaluation`` is kept, or the last.

    """

    name: str
    sources: list[Source]
    start: list[str] = Field(default_factory=list)
    teacher: DataFile | None = None
    batch_size: int | None = Field(default=None, ge=1)
    epochs: int = Field(ge=1)
    learning_rate: Number = Field(gt=0)
    head_rate: Number = Field(default=1.0, gt=0)
    word_dropout: Number = Field(default=0.0, ge=0, lt=1)
    renaming: Number = Field(default=0.0, ge=0, le=1)
    plain_share: Number = Field(default=1.0, gt=0, le=1)
    averaging: Number = Field(default=0.0, ge=0, lt=1)
    loss_weights: LossWeights = LossWeights()
    select: Literal["best", "last"] = "last"


class Recipe(_Strict):
    """Everything that a training run depends on.

    Args:
        output: Folder of checkpoints, logs and the final model.
        model: What training starts from: ``default`` for the embedded model, the folder or hub id of a Stance model,
            or an encoder: a folder, a hub id, or ``package:`` and a Python package that carries one.
        pretrained: False starts from random weights of the encoder's shape; for an encoder only, as ``pointer_size``
            and ``dropout`` are: a Stance model has its own.
        calibration_fold: Articles of this fold are kept out of training, in whichever corpus they stand; the inference
            settings are fitted on those of the readers ``labelled``.
        seed: Seed of everything random.
        window: Longest window in tokens; by default that of the Stance model that training starts from, or 512.
        overlap: Tokens that a window repeats at most; by default that of the Stance model, or 128.
        pointer_size: Width of the pointers.
        dropout: Dropout of encoder and heads.
        batch_size: Windows a step on one device.
        precision: ``bf16`` trains with automatic mixed precision.
        weight_decay: Of AdamW.
        warmup: Share of the steps in which the learning rate rises.
        layer_decay: Factor on the learning rate from each encoder layer to the one below.
        label_weights: Weight of each label in the loss, in the order of ``LABELS``.
        stages: Run in order.
        average: Stages the mean of whose final weights is the model; none takes the last.
        evaluation: Labelled set that is scored after each epoch.

    """

    output: str
    model: str
    stages: list[Stage] = Field(min_length=1)
    evaluation: DataFile
    pretrained: bool = True
    calibration_fold: int | None = Field(default=None, ge=0)
    seed: int = 13
    window: int | None = Field(default=None, ge=16)
    overlap: int | None = Field(default=None, ge=0)
    pointer_size: int = 128
    dropout: Number = Field(default=0.1, ge=0, lt=1)
    batch_size: int = Field(default=8, ge=1)
    precision: Literal["fp32", "bf16"] = "bf16"
    weight_decay: Number = 0.01
    warmup: Number = Field(default=0.1, ge=0, lt=1)
    layer_decay: Number = Field(default=1.0, gt=0, le=1)
    label_weights: tuple[Number, Number, Number, Number] = (1.0, 1.0, 1.0, 1.0)
    average: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.window is not None and self.overlap is not None and self.overlap >= self.window:
            raise ValueError(f"overlap must be less than the window of {self.window}, not {self.overlap}")
        names = [stage.name for stage in self.stages]
        if len({*names, *_FOLDERS}) < len(names) + len(_FOLDERS):
            taken = ", ".join(_FOLDERS)
            raise ValueError(f"stages are folders: each needs a name of its own, none of {taken}; they are {names}")
        if unknown := set(self.average) - set(names):
            raise ValueError(f"average names stages, not {sorted(unknown)}")
        for index, stage in enumerate(self.stages):
            if unknown := set(stage.start) - set(names[:index]):
                raise ValueError(f"{stage.name} starts from stages before it, not {sorted(unknown)}")
        return self

    def fingerprints(self) -> dict[str, str]:
        """Hash each data file that it names."""
        sources = [source for stage in self.stages for source in stage.sources]
        named = [(source.path, source.tags, source.evidence, *source.articles) for source in sources]
        teachers = [stage.teacher for stage in self.stages]
        files = dict.fromkeys((self.evaluation, *chain(*named), *teachers))
        return {file: sha256(Path(file)) for file in files if file}


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe and check it.

    Args:
        path: A YAML file.

    Returns:
        The recipe.

    Raises:
        ConfigurationError: If the file is no YAML, or a key is unknown, missing, of the wrong type or names a
            missing file; the message lists them all.

    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        # YAML has lists where the recipe has tuples: strict validation allows that for JSON only.
        return Recipe.model_validate_json(json.dumps(values, default=str))
    except OSError as error:
        raise ConfigurationError(f"cannot read the configuration {path}: {error.strerror}") from error
    except ValidationError as error:
        faults = [
            f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            + ("" if fault["type"] in _SAYS_ALL else f", not {reprlib.repr(fault['input'])}")
            for fault in error.errors()
        ]
        raise ConfigurationError("\n".join([f"{path} is no valid configuration:", *faults])) from error
    # Of what is no YAML, some is no UTF-8, some contains itself, and some has numbers or nesting without end.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no YAML: {error}") from error
