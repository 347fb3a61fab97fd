"""Averages of weights: a moving one beside the weights in training, and the mean of finished models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

AVERAGE_FILE = "average.safetensors"


class WeightAverage(TrainerCallback):
    """Averages the weights after each step (Polyak and Juditsky, 1992), and checkpoints the average.

    Args:
        model: The model in training.
        decay: Weight of the old average, at most; 0 switches averaging off.

    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = (
            {name: value.detach().clone() for name, value in model.named_parameters()} if decay else {}
        )

    @torch.no_grad()
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: nn.Module, **_: object
    ) -> None:
        """Take in the new weights; at first the average follows them fast."""
        decay = min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        if self.weights:
            current = [value.detach() for _, value in model.named_parameters()]
            torch._foreach_lerp_(list(self.weights.values()), current, 1 - decay)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Write the average into the checkpoint."""
        if self.weights and state.is_world_process_zero:
            file = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / AVERAGE_FILE
            part = file.with_suffix(".part")
            save_file(self.weights, part)
            # What a kill cuts short must not look whole: a checkpoint without its average is passed over.
            part.replace(file)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: nn.Module, **_: object
    ) -> None:
        """Read the average of the checkpoint that training goes on from, and move it to where the model lies."""
        if self.weights and state.global_step:
            self.load(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}")
        # The file keeps no order, and the model may lie on a GPU by now.
        if self.weights:
            self.weights = {name: self.weights[name].to(value.device) for name, value in model.named_parameters()}

    def last_checkpoint(self, folder: Path) -> str | None:
        """Find the last whole checkpoint in a folder; one that a kill cut short is passed over."""
        needed = ["trainer_state.json", *([AVERAGE_FILE] if self.decay else [])]
        whole = [path for path in folder.glob("checkpoint-*") if all((path / name).is_file() for name in needed)]
        last = max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
        return None if last is None else str(last)

    def load(self, checkpoint: Path) -> None:
        """Read the average that a checkpoint holds; nothing where averaging is off."""
        if self.weights:
            self.weights = load_file(checkpoint / AVERAGE_FILE)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Put the average into the model for a while."""
        own = {name: value.detach().clone() for name, value in model.named_parameters()} if self.weights else {}
        self.copy_to(model)
        try:
            yield
        finally:
            _assign(model, own)

    def copy_to(self, model: nn.Module) -> None:
        """Put the average into the model for good; nothing where averaging is off."""
        _assign(model, self.weights)


def average_models(model: nn.Module, folders: Sequence[Path]) -> None:
    """Give a model the mean of the weights of finished ones (Wortsman et al., 2022, https://arxiv.org/abs/2203.05482).

    Args:
        model: The model, changed in place.
        folders: Folders of models of one shape and vocabulary that have part of their training in common.

    """
    states = [load_file(folder / "model.safetensors") for folder in folders]
    _assign(model, {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[0]})


@torch.no_grad()
def _assign(model: nn.Module, weights: dict[str, Tensor]) -> None:
    for name, value in weights.items():
        model.get_parameter(name).copy_(value)
