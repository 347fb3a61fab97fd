"""Model folders: where they are, what they hold, and the classifier made of them."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from stance.classifier import StanceClassifier
from stance.engines import ENGINES, GRAPHS, Engine
from stance.integrity import ModelError, reading
from stance.settings import Settings
from stance.windows import Windower

if TYPE_CHECKING:
    import torch

    from stance.modeling import StanceModel

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
"""What every model folder holds."""

WEIGHTS = ("model.safetensors", *GRAPHS.values())
"""What engines run; a model folder holds one of them at least."""

DEFAULT_MODEL = Path(__file__).parent / "models" / "default"
_CARD = "README.md"
_PROCESSOR = re.compile(r"cpu(:\d+)?", re.ASCII | re.IGNORECASE)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


def load_classifier(model: str | Path, device: str | None, engine: str | None) -> StanceClassifier:
    """Load a classifier from a folder or the hub; see ``StanceClassifier.from_pretrained``."""
    folder = find_folder(model)
    settings = Settings.read(folder)
    windower, _ = load_windower(folder, settings)
    return StanceClassifier(load_engine(folder, device, engine), windower, settings, folder)


def load_engine(folder: Path, device: str | None, engine: str | None) -> Engine:
    """Load the network of a model folder; see ``StanceClassifier.from_pretrained``."""
    chosen = choose_engine(folder, device, engine)
    if chosen in GRAPHS:
        from stance.engines.onnx import OnnxEngine

        with reading(folder / GRAPHS[chosen]):
            return OnnxEngine(folder / GRAPHS[chosen])
    import torch

    from stance.engines.torch import TorchEngine

    place = torch.device("cpu") if _is_processor(device) else _find_device(device)
    halved = chosen == "torch-bfloat16" or (place.type == "cuda" and torch.cuda.is_bf16_supported())
    return TorchEngine(read_network(folder).to(place, torch.bfloat16 if halved else torch.float32))


def read_network(folder: Path) -> StanceModel:
    """Read the network of a model folder from its safetensors.

    Raises:
        ModelError: If the weights are broken, or do not fit ``config.json``.

    """
    from stance.modeling import StanceModel

    network: StanceModel
    with _no_progress_bar(), reading(folder / WEIGHTS[0]):
        network, found = StanceModel.from_pretrained(
            folder, dtype="float32", local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        # Without this check, what is missing would be random numbers.
        if wrong := sorted({*found["missing_keys"], *found["unexpected_keys"]}):
            raise ValueError(f"it does not fit config.json, which differs in {', '.join(wrong[:3])}")
        if broken := [name for name, values in network.named_parameters() if not values.isfinite().all()]:
            raise ValueError(f"not every number of {broken[0]} is finite")
    return network


def choose_engine(folder: Path, device: str | None, engine: str | None) -> str:
    """Choose the engine of a model folder.

    Args:
        folder: A model folder.
        device: Where the network runs; None is the processor.
        engine: What the caller wants; None leaves the choice open.

    Returns:
        One of ``ENGINES``.

    Raises:
        FileNotFoundError: If the folder lacks the file that the engine runs.
        ValueError: If there is no such engine, or it does not run on the device.

    """
    on_processor = _is_processor(device)
    present = [name for name in ENGINES if (folder / _file(name)).is_file()]
    chosen = engine or (on_processor and os.environ.get("STANCE_ENGINE")) or ""
    if not chosen:
        chosen = present[0] if on_processor else "torch"
    if chosen not in ENGINES:
        raise ValueError(f"there is no engine {chosen!r}; the engines are {', '.join(ENGINES)}")
    if chosen in GRAPHS and not on_processor:
        raise ValueError(f"the engine {chosen!r} runs on the processor, not on {device!r}; leave out engine or device")
    if chosen not in present:
        made = f"{folder} -o {folder}{' --int8' * (chosen == 'onnx-int8')}"
        remedy = f"make it with: stance export {made}" if chosen in GRAPHS else "take the folder that it was made from"
        raise FileNotFoundError(
            f"the model folder {str(folder)!r} lacks {_file(chosen)}, which the engine {chosen!r} runs; {remedy}"
        )
    return chosen


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
        A folder that holds every one of ``FILES`` and one of ``WEIGHTS``.

    Raises:
        FileNotFoundError: If there is no such folder, or a file is missing.

    """
    folder = Path(model)
    if not folder.is_dir():
        # A hub id becomes part of a path in the cache: it must not lead out of it.
        if isinstance(model, Path) or not _HUB_ID.fullmatch(model) or ".." in model:
            raise FileNotFoundError(f"there is no model folder {str(model)!r}; give a folder or a hub id 'owner/name'")
        folder = _fetch(str(model))
    missing = [name for name in FILES if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in WEIGHTS):
        missing.append(WEIGHTS[0])
    if missing:
        raise FileNotFoundError(f"the model folder {str(folder)!r} lacks {', '.join(missing)}; save the model again")
    return folder


def list_files(folder: Path) -> list[str]:
    """Name the files of a model folder that belong to the model."""
    return [name for name in (*FILES, *WEIGHTS, _CARD) if (folder / name).is_file()]


def copy_files(source: Path, folder: Path, names: Collection[str]) -> None:
    """Copy files of a model folder into another, unless it is the same.

    Other weights that lie there are removed: they are of another model, and an engine might prefer them.

    Args:
        source: The model folder.
        folder: Where to; made if it does not exist.
        names: The files.

    """
    folder.mkdir(parents=True, exist_ok=True)
    if folder.samefile(source):
        return
    for name in WEIGHTS:
        if name not in names:
            (folder / name).unlink(missing_ok=True)
    for name in names:
        shutil.copy(source / name, folder / name)


def _is_processor(device: str | None) -> bool:
    """Tell whether a device is the processor, however it is spelled."""
    # One of torch's own devices is its name, as a string.
    return device is None or _PROCESSOR.fullmatch(str(device)) is not None


def _find_device(device: str | None) -> torch.device:
    """Find a device that computes.

    Raises:
        ValueError: If torch has none of this name on this machine.

    """
    import torch

    try:
        number = torch.zeros(1, device=device)
        number.item()
    # Each kind of device has errors of its own for one that is not there.
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"device {device!r}: {reason}; leave it out to use the processor") from error
    return number.device


def _file(engine: str) -> str:
    """Name the file that an engine runs."""
    return GRAPHS.get(engine, WEIGHTS[0])


def _fetch(repository: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, allow_patterns=[*FILES, *WEIGHTS]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as error:
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
