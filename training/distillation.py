"""Distillation: a model learns what a larger one makes of the same windows, in its answers and between its layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, PreTrainedModel

from stance.document import LABELS, Label
from stance.modeling import EVIDENCED, StanceModel, StanceOutput

from .configuration import ConfigurationError

_GOLD_WEIGHT = 0.5
_TEMPERATURE = 1.5
_POINTER_WEIGHTS = {"mention": 1.0, "name": 0.5, "target": 0.5}
_EVIDENCE_WEIGHT = 0.3
# After each third of the layers, and of the sentence vectors.
_FEATURE_WEIGHTS = (0.5, 0.5, 1.0, 1.0)
_FARTHEST_FEATURE = 5.0
_SPECIAL = ("pad_token", "cls_token", "sep_token", "unk_token", "mask_token")


@dataclass(frozen=True)
class BridgedOutput(StanceOutput):
    """What a student in training computes, with its features brought to its teacher's width.

    Args:
        features: After each third of the layers, (B, T, width), and of the sentence vectors, (B, S, width).

    """

    features: tuple[Tensor, ...] = ()


class Distillation:
    """What a student learns from a finished teacher, beside its gold.

    The teacher reads every window whole, where word dropout hides words from the student. The student learns its
    answers (Hinton et al., 2015, https://arxiv.org/abs/1503.02531) and, through linear maps, what its layers hold (Jiao
    et al., 2020, https://arxiv.org/abs/1909.10351). The maps are the student's ``bridge``: they are trained and
    checkpointed with it, and nothing reads them afterwards.

    Args:
        teacher: Folder of a Stance model, whose tokenizer splits texts as the student's does.
        student: The model in training; it gets a ``bridge``.
        start: The folder that the student was loaded from.
        device: Where both compute.

    Raises:
        ConfigurationError: If the teacher lacks tokens of the student's.

    """

    def __init__(self, teacher: Path, student: StanceModel, start: Path, device: torch.device) -> None:
        self.token_ids = corresponding_tokens(start, teacher).to(device)
        self.teacher = StanceModel.from_pretrained(teacher, dtype=torch.float32).to(device).eval().requires_grad_(False)
        sizes = [model.encoder.config.hidden_size for model in (student, self.teacher)]
        student.bridge = nn.ModuleList(nn.Linear(*sizes) for _ in _FEATURE_WEIGHTS)
        self._taught = _recorded(self.teacher)
        own = _recorded(student)

        # Within the forward pass, as several processes agree on the gradients only of what is computed there.
        def cross(model: nn.Module, _: object, output: StanceOutput) -> StanceOutput:
            if not model.training:
                return output
            # Autocast, under which layers give bfloat16, ends with the model's own forward pass.
            features = tuple(bridge(own[index].float()) for index, bridge in enumerate(student.bridge))
            return BridgedOutput(**vars(output), features=features)

        self._hook = student.register_forward_hook(cross)

    def detach(self, student: StanceModel) -> None:
        """Leave the student as it was, without a bridge."""
        self._hook.remove()
        del student.bridge

    def loss(self, gold_loss: Tensor, inputs: Mapping[str, Tensor], whole_ids: Tensor, output: BridgedOutput) -> Tensor:
        """Compute what the student is to minimise.

        Args:
            gold_loss: What it has to pay for its gold, shape ().
            inputs: What it has just read.
            whole_ids: The token ids of the same windows with no word hidden, (B, T).
            output: Its answers, and its features.

        Returns:
            The loss, shape ().

        """
        mask, sentences = inputs["attention_mask"], inputs["sentence_ids"]
        with torch.no_grad():
            taught = self.teacher(self.token_ids[whole_ids], mask, inputs["surface_ids"], sentences)
        numbers = torch.arange(output.label_logits.size(1), device=sentences.device)
        is_there = (sentences[:, None, :] == numbers[None, :, None]).any(-1)
        loss = _GOLD_WEIGHT * gold_loss + answer_loss(output, taught, is_there, mask.bool())
        places = [*[mask.bool()] * (len(_FEATURE_WEIGHTS) - 1), is_there]
        for index, (weight, place, own) in enumerate(zip(_FEATURE_WEIGHTS, places, output.features, strict=True)):
            loss = loss + weight * feature_loss(own[place], self._taught[index][place].float())
        return loss


def corresponding_tokens(student: Path, teacher: Path) -> Tensor:
    """Find the number that each token of one vocabulary has in another.

    Args:
        student: Folder of the one tokenizer.
        teacher: Folder of the other.

    Returns:
        The numbers, (tokens of the student,).

    Raises:
        ConfigurationError: If the other has no such token.

    """
    own, theirs = AutoTokenizer.from_pretrained(student), AutoTokenizer.from_pretrained(teacher)
    special = {getattr(own, role): getattr(theirs, role) for role in _SPECIAL}
    known = theirs.get_vocab()
    tokens = sorted(own.get_vocab().items(), key=lambda item: item[1])
    if missing := [token for token, _ in tokens if special.get(token, token) not in known]:
        raise ConfigurationError(
            f"the teacher in {teacher} lacks {len(missing)} tokens of {student}, such as {missing[0]!r}; it must split "
            "texts as its student does"
        )
    return torch.tensor([known[special.get(token, token)] for token, _ in tokens])


def answer_loss(output: StanceOutput, taught: StanceOutput, is_there: Tensor, mask: Tensor) -> Tensor:
    """Measure how far the student's answers are from the teacher's.

    Args:
        output: The student's.
        taught: The teacher's.
        is_there: True for sentences, False for padding, (B, S).
        mask: True for tokens, False for padding, (B, T).

    Returns:
        The weighted sum of the divergences of labels and pointers and of the cross-entropy of evidence, shape ().

    """
    own, theirs = output.label_logits[is_there], taught.label_logits[is_there]
    soft = (theirs / _TEMPERATURE).softmax(-1)
    # Rare labels weigh twice, as in the gold.
    weight = 1 + soft[:, [LABELS.index(label) for label in EVIDENCED]].sum(-1)
    divergence = nn.functional.kl_div((own / _TEMPERATURE).log_softmax(-1), soft, reduction="none").sum(-1)
    loss = _TEMPERATURE**2 * (divergence * weight).sum() / weight.sum()
    sure = theirs.softmax(-1)
    says, accuses = 1 - sure[:, LABELS.index(Label.NONE)], sure[:, LABELS.index(Label.ALLEGATION)]
    for head, asked in (("mention", says), ("name", says), ("target", accuses)):
        ours, shown = (getattr(answers, f"{head}_logits")[is_there].log_softmax(-1) for answers in (output, taught))
        divergence = nn.functional.kl_div(ours, shown, reduction="none", log_target=True).sum((-2, -1))
        loss = loss + _POINTER_WEIGHTS[head] * (divergence * asked).sum() / asked.sum().clamp(min=1)
    shown = taught.evidence_logits[mask].sigmoid()
    evidence = nn.functional.binary_cross_entropy_with_logits(output.evidence_logits[mask], shown, reduction="sum")
    return loss + _EVIDENCE_WEIGHT * evidence / shown.sum().clamp(min=5)


def feature_loss(own: Tensor, theirs: Tensor) -> Tensor:
    """Measure how far features are from the teacher's, each of which counts alike, however large it is.

    Args:
        own: The student's, brought to the teacher's width, (N, width).
        theirs: The teacher's, (N, width).

    Returns:
        The mean squared distance from the teacher's features, scaled to mean 0 and variance 1, shape ().

    """
    scaled = (theirs - theirs.mean(0)) / (theirs.std(0, correction=0) + 1e-3)
    return nn.functional.mse_loss(own, scaled.clamp(-_FARTHEST_FEATURE, _FARTHEST_FEATURE))


def _recorded(model: StanceModel) -> dict[int, Tensor]:
    """Keep, of each pass, what comes out of the last layer of each third of the encoder, and the sentence vectors."""
    kept: dict[int, Tensor] = {}

    def keep(index: int, module: nn.Module) -> None:
        def hook(_: nn.Module, __: object, given: Any) -> None:  # noqa: ANN401  # layers differ in what they return
            kept[index] = given[0] if isinstance(given, tuple) else given

        module.register_forward_hook(hook)

    layers = _layers(model.encoder)
    thirds = len(_FEATURE_WEIGHTS) - 1
    for index in range(thirds):
        keep(index, layers[-(-len(layers) * (index + 1) // thirds) - 1])
    keep(thirds, model.norm)
    return kept


def _layers(encoder: PreTrainedModel) -> Sequence[nn.Module]:
    number = encoder.config.num_hidden_layers
    lists = (module for module in encoder.modules() if isinstance(module, nn.ModuleList) and len(module) == number)
    return list(next(lists))
