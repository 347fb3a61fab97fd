"""Model folders: where they are, what they hold, and the classifier made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tokenizers import Tokenizer

from stance.classifier import FILES, StanceClassifier
from stance.integrity import ModelError, reading
from stance.settings import Settings
from stance.windows import Windower

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


def load_classifier(model: str | Path, device: str | None) -> StanceClassifier:
    """Load a classifier from a folder or the hub; see ``StanceClassifier.from_pretrained``."""
    folder = find_folder(model)
    import torch

    from stance.engines.torch import TorchEngine
    from stance.modeling import StanceModel

    settings = Settings.read(folder)
    with _no_progress_bar(), reading(folder / "model.safetensors"):
        network, found = StanceModel.from_pretrained(
            folder, dtype="float32", local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        # Without this check, what is missing would be random numbers.
        if wrong := sorted({*found["missing_keys"], *found["unexpected_keys"]}):
            raise ValueError(f"it does not fit config.json, which differs in {', '.join(wrong[:3])}")
        if broken := [name for name, values in network.named_parameters() if not values.isfinite().all()]:
            raise ValueError(f"not every number of {broken[0]} is finite")
    engine = TorchEngine(network.to(torch.device(device or "cpu")))
    windower, pad_id = load_windower(folder, settings)
    return StanceClassifier(engine, windower, settings, pad_id, folder)


def load_windower(folder: Path, settings: Settings) -> tuple[Windower, int]:
    """Load the tokenizer of a model folder.

    Args:
        folder: A model folder.
        settings: The model's settings.

    Returns:
        The windower, and the id of the padding token.

    """
    with reading(folder / "tokenizer.json"):
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    with reading(folder / "tokenizer_config.json"):
        special = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        cls_id, sep_id, pad_id = (_token_id(tokenizer, special[f"{name}_token"]) for name in ("cls", "sep", "pad"))
    with reading(folder / "config.json"):
        rows = json.loads((folder / "config.json").read_text(encoding="utf-8"))["encoder"]["vocab_size"]
    if tokenizer.get_vocab_size() > rows:
        raise ModelError(
            f"the tokenizer of {folder} has {tokenizer.get_vocab_size()} tokens and the encoder only {rows}; "
            "tokenizer.json is not this model's, save the model again"
        )
    return Windower(tokenizer, cls_id, sep_id, settings.window, settings.overlap), pad_id


def find_folder(model: str | Path) -> Path:
    """Find a model's folder on this machine, or fetch it from the hub.

    Args:
        model: A folder, or the name of a repository on the hub, such as ``"newsroom/stance-courts"``.

    Returns:
        A folder that holds every one of ``FILES``.

    Raises:
        FileNotFoundError: If there is no such folder, or a file is missing.

    """
    folder = Path(model)
    if not folder.is_dir():
        # A hub id becomes part of a path in the cache: it must not lead out of it.
        if isinstance(model, Path) or not _HUB_ID.fullmatch(model) or ".." in model:
            raise FileNotFoundError(f"there is no model folder {str(model)!r}; give a folder or a hub id 'owner/name'")
        folder = _fetch(str(model))
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise FileNotFoundError(f"the model folder {str(folder)!r} lacks {', '.join(missing)}; save the model again")
    return folder


def _fetch(repository: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, allow_patterns=list(FILES)))
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise FileNotFoundError(
            f"there is no model folder {repository!r}, and it cannot be had from the hub: {error}"
        ) from error


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep transformers' progress bar of half a second away from the caller's own output."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _token_id(tokenizer: Tokenizer, token: str | dict[str, str]) -> int:
    content = token if isinstance(token, str) else token["content"]
    number = tokenizer.token_to_id(content)
    if number is None:
        raise ValueError(f"the tokenizer has no token {content!r}; save the model again")
    return number
