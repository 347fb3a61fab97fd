"""Train a model by a recipe: ``python -m training.train configs/default.yaml``."""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import math
import shutil
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from accelerate import PartialState
from accelerate.data_loader import DataLoaderShard
from datasets import Dataset
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, Trainer, TrainerControl, TrainingArguments, set_seed

from stance import labelled
from stance.classifier import StanceClassifier
from stance.document import LABELS, Document
from stance.engines.torch import TorchEngine
from stance.evaluation import by_id, evaluate
from stance.loading import DEFAULT_MODEL, find_folder, load_windower
from stance.modeling import EVIDENCED, StanceConfig, StanceModel
from stance.settings import Settings

from .acceleration import accelerate
from .averaging import WeightAverage, average_models
from .batches import Batches
from .calibrate import calibrate
from .configuration import ConfigurationError, Recipe, Stage, read_recipe
from .corpora import read_source
from .data import Feature, collate, features
from .distillation import Distillation, corresponding_tokens
from .losses import count_gold, total_loss
from .vocabulary import without_unused

# One process fits the settings while the others wait, by default not long enough for a large model and fold.
_LONGEST_WAIT = timedelta(hours=6)
# A window with none of these is plain.
_RARE = {LABELS.index(label) for label in EVIDENCED}


class StanceTrainer(Trainer):
    """The Hugging Face ``Trainer`` with this model's losses and with the project's metrics as evaluation.

    Args:
        recipe: The recipe.
        stage: The stage of it that is run.
        classifier: The model in training as a classifier.
        model: The model.
        args: Arguments of the stage.
        train_dataset: Features, and with each whether it ``is_optional``: one of those that ``plain_share`` is about.
        collator: Makes a batch of features.
        distillation: What the model learns from a teacher; None if it has none.

    """

    def __init__(
        self,
        recipe: Recipe,
        stage: Stage,
        classifier: StanceClassifier,
        model: StanceModel,
        args: TrainingArguments,
        train_dataset: Dataset,
        collator: Callable[[list[Feature]], dict[str, Any]],
        distillation: Distillation | None = None,
    ) -> None:
        self.recipe = recipe
        self.stage = stage
        self.network = model
        self.classifier = classifier
        self.distillation = distillation
        self.development = labelled.read(recipe.evaluation)
        self.average = WeightAverage(model, stage.averaging)
        super().__init__(
            model,
            args,
            collator,
            train_dataset,
            eval_dataset=self.development,
            callbacks=[self.average],
        )

    def get_train_dataloader(self) -> DataLoaderShard:
        """Read the same batches in any number of processes; the ``Trainer`` orders and fills them differently."""
        processes = self.args.world_size
        size = self.args.per_device_train_batch_size * processes
        lengths = self.train_dataset["length"]
        optional = [index for index, is_optional in enumerate(self.train_dataset["is_optional"]) if is_optional]
        share = self.stage.plain_share
        batches = Batches(lengths, size, self.args.seed, self.args.process_index, processes, optional, share)
        return DataLoaderShard(
            self.train_dataset,
            device=self.args.device,
            batch_sampler=batches,
            collate_fn=self.data_collator,
            pin_memory=not self.args.use_cpu,
        )

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Give lower layers of the encoder smaller learning rates (Howard and Ruder, 2018)."""
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.network, self.recipe, self.stage), self.args.learning_rate, fused=True
        )
        return self.optimizer

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, Any]:
        """Compute the weighted sum of the heads' losses."""
        gold, whole_ids = inputs.pop("gold"), inputs.pop("whole_ids")
        output = model(**inputs)
        weights = torch.tensor(self.recipe.label_weights, device=gold["labels"].device)
        counts = self.accelerator.reduce(count_gold(gold, weights), "mean")
        loss = total_loss(output, gold, self.stage.loss_weights.model_dump(), weights, counts)
        if self.distillation is not None:
            with self.accelerator.autocast():
                loss = self.distillation.loss(loss, inputs, whole_ids, output)
        return (loss, output) if return_outputs else loss

    def evaluate(self, *_: object, metric_key_prefix: str = "eval", **__: object) -> dict[str, float]:
        """Score the model on the recipe's evaluation set with the metrics of ``stance.evaluation``."""
        with self.average.applied(self.network):
            self.network.eval()
            metrics = evaluate(self.development, predict(self.classifier, self.development)).metrics
            self.network.train()
        figures = {f"{metric_key_prefix}_{name}": value for name, value in metrics.items()}
        # A small set may lack a label; what is not defined does not count.
        counted = [metrics[name] for name in ("macro-F1", "joint accuracy") if not math.isnan(metrics[name])]
        figures[f"{metric_key_prefix}_score"] = sum(counted) / max(len(counted), 1)
        self.log(figures)
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, figures)
        return figures


def train(recipe: Recipe, left_out: frozenset[str] = frozenset()) -> Path:
    """Train a model; a run that was cut off goes on from its last checkpoint.

    Args:
        recipe: The recipe.
        left_out: Texts that it must not read, beside those of its calibration fold.

    Returns:
        The folder of the final model. Where a fold is left out, the folders bear its number, so that runs for several
        folds share an output folder.

    Raises:
        ConfigurationError: If the output folder holds the models of another recipe.

    """
    output, fold = Path(recipe.output), recipe.calibration_fold
    suffix = "" if fold is None else f"-without-fold-{fold}"
    gold = [] if fold is None else held_out(recipe)
    left_out |= {article["text"].strip() for article in gold}
    if fold is not None and not gold:
        raise ValueError(f"no labelled article is in the calibration fold {fold}; leave the key out or give folds")
    by_id(recipe.evaluation)  # what could not be scored is refused before hours of training
    set_seed(recipe.seed)
    start = output / "start"
    # Where several processes train, one writes a model while the others wait for it.
    processes = PartialState(cpu=not torch.accelerator.is_available(), timeout=_LONGEST_WAIT)
    with processes.main_process_first():
        claim(output, recipe, processes.num_processes)
        if not is_model(start):
            initialise(recipe, start)
    # First of all, so that what is wrong with a teacher shows before hours of training.
    wanted = [stage for stage in recipe.stages if not is_model(output / f"{stage.name}{suffix}")]
    paths = dict.fromkeys(stage.teacher for stage in wanted if stage.teacher)
    teachers = {path: train(teacher_recipe(path, fold), left_out) for path in paths}
    for folder in teachers.values():
        corresponding_tokens(start, folder)
    ends: dict[str, Path] = {}
    for stage in recipe.stages:
        end = output / f"{stage.name}{suffix}"
        if not is_model(end):
            teacher = teachers[stage.teacher] if stage.teacher else None
            run_stage(recipe, stage, [ends[name] for name in stage.start] or [start], end, left_out, teacher)
            processes.wait_for_everyone()
        start = ends[stage.name] = end
    with processes.main_process_first():
        if recipe.average:
            start = write_average([ends[name] for name in recipe.average], output / f"average{suffix}")
    final = output / f"model{suffix}"
    with processes.main_process_first():
        if not is_model(final):
            settings = fit_settings(gold, start) if gold else {}
            save(StanceModel.from_pretrained(start), start, final, torch.float16, settings)
    return final


def claim(output: Path, recipe: Recipe, processes: int) -> None:
    """Note in the output folder which recipe and data its models are of, or refuse a folder that is of others.

    Where the folder lies, which fold is left out, and how many processes share a batch make no other recipe.
    """
    stages = [
        stage.model_copy(update={"batch_size": stage.batch_size and stage.batch_size * processes})
        for stage in recipe.stages
    ]
    whole = recipe.model_copy(update={"batch_size": recipe.batch_size * processes, "stages": stages})
    values = whole.model_dump(mode="json", exclude={"output", "calibration_fold"})
    text = json.dumps(values | {"data": recipe.fingerprints()}, indent=1)
    file = output / "recipe.json"
    # A recipe that failed before there was any model may be corrected.
    if not file.is_file() or not is_model(output / "start"):
        output.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    elif file.read_text(encoding="utf-8") != text:
        raise ConfigurationError(
            f"{output} holds the models of another recipe or of other data, as {file} has them; delete the folder or "
            "name another output"
        )


def fit_settings(gold: Sequence[labelled.Article], folder: Path) -> dict[str, Any]:
    """Fit the inference settings of the model in ``folder`` on the articles of the calibration fold."""
    classifier = load(folder)
    own = classifier.settings
    return asdict(replace(calibrate(gold, predict_unfitted(classifier, gold)), window=own.window, overlap=own.overlap))


def held_out(recipe: Recipe) -> list[labelled.Article]:
    """Read the labelled articles of the calibration fold."""
    paths = [source.path for stage in recipe.stages for source in stage.sources if source.reader == "labelled"]
    articles = [article for path in dict.fromkeys(paths) for article in labelled.read(path)]
    return list(by_id([article for article in articles if article.get("fold") == recipe.calibration_fold]).values())


def load(folder: Path) -> StanceClassifier:
    """Load a model to where it was trained: on the accelerator, where there is one."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    device = None if accelerator is None else accelerator.type
    # What the environment says of engines is not meant for a model without a graph.
    return StanceClassifier.from_pretrained(folder, device=device, engine="torch")


def predict(classifier: StanceClassifier, articles: Sequence[labelled.Article]) -> list[Document]:
    """Classify labelled articles."""
    return list(classifier.stream((article["id"], article["text"]) for article in articles))


def predict_unfitted(classifier: StanceClassifier, articles: Sequence[labelled.Article]) -> list[labelled.Article]:
    """Classify labelled articles with default settings, as ``calibrate`` takes them."""
    own = classifier.settings
    classifier.settings = Settings(window=own.window, overlap=own.overlap)
    predicted = [document.to_dict() for document in predict(classifier, articles)]
    classifier.settings = own
    return predicted


def teacher_recipe(path: str, fold: int | None) -> Recipe:
    """Read the recipe of a teacher, which must not have seen what its student is measured on."""
    recipe = read_recipe(path)
    if any(stage.teacher for stage in recipe.stages):
        raise ConfigurationError(f"{path} is the recipe of a teacher, whose stages have no teacher themselves")
    return recipe.model_copy(update={"calibration_fold": fold})


def write_average(folders: Sequence[Path], end: Path) -> Path:
    """Write the mean of finished models to ``end``, unless it lies there, and return that."""
    if not is_model(end):
        save(load_mean(folders), folders[-1], end, torch.float32)
    return end


def load_mean(folders: Sequence[Path]) -> StanceModel:
    """Load a model with the mean of the weights of finished ones, in float32."""
    model: StanceModel = StanceModel.from_pretrained(folders[-1], dtype=torch.float32)
    if len(folders) > 1:
        average_models(model, folders)
    return model


def run_stage(
    recipe: Recipe,
    stage: Stage,
    starts: Sequence[Path],
    end: Path,
    left_out: Container[str],
    teacher: Path | None = None,
) -> None:
    """Train one stage from the mean of the models in ``starts`` to the one in ``end``; some texts are left out."""
    start = starts[-1]
    model = load_mean(starts)
    settings = Settings.read(start)
    windower, pad_id = load_windower(start, settings)
    classifier = StanceClassifier(TorchEngine(model), windower, settings)
    windows = []
    for source in stage.sources:
        articles = read_source(source, recipe.calibration_fold)
        # One corpus may hold the articles of another: a fold is unseen only if no reader gives them.
        articles = [article for article in articles if article.text.strip() not in left_out]
        windows += [
            {**window, "is_optional": not source.every_window and _RARE.isdisjoint(window["labels"])}
            for window in features(articles, windower)
        ]
    if not windows:
        raise ConfigurationError(
            f"the stage {stage.name!r} has nothing to learn from: its sources have no sentence"
            + ("" if recipe.calibration_fold is None else f" outside the calibration fold {recipe.calibration_fold}")
        )
    dataset = Dataset.from_list(windows)
    on_cpu = not torch.accelerator.is_available()
    if on_cpu and recipe.precision == "bf16":
        accelerate(model.encoder)
    checkpoints = end.with_name(f"{end.name}-checkpoints")
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=stage.epochs,
        per_device_train_batch_size=stage.batch_size or recipe.batch_size,
        learning_rate=stage.learning_rate,
        warmup_steps=recipe.warmup,
        bf16=recipe.precision == "bf16",
        use_cpu=on_cpu,
        max_grad_norm=1.0,
        seed=recipe.seed,
        remove_unused_columns=False,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=stage.select == "best",
        metric_for_best_model="score",
        logging_steps=20,
        report_to=["tensorboard"],
    )
    # One process drives one GPU: several are for torchrun or accelerate launch.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    mask_id = AutoTokenizer.from_pretrained(start).mask_token_id or pad_id
    collator = functools.partial(
        collate, pad_id=pad_id, mask_id=mask_id, word_dropout=stage.word_dropout, renaming=stage.renaming
    )
    # Whether the teacher has just been trained or lay there: the student begins alike.
    set_seed(recipe.seed)
    distillation = None if teacher is None else Distillation(teacher, model, start, arguments.device)
    trainer = StanceTrainer(recipe, stage, classifier, model, arguments, dataset, collator, distillation)
    trainer.train(resume_from_checkpoint=trainer.average.last_checkpoint(checkpoints))
    if stage.select == "best" and trainer.state.best_model_checkpoint:
        trainer.average.load(Path(trainer.state.best_model_checkpoint))
    trainer.average.copy_to(model)
    if distillation is not None:
        distillation.detach(model)
    if trainer.is_world_process_zero():
        save(model, start, end, torch.float32)


def is_model(folder: Path) -> bool:
    """Tell whether a finished model lies in a folder."""
    return (folder / "config.json").is_file()


def parameter_groups(model: StanceModel, recipe: Recipe, stage: Stage) -> list[dict[str, Any]]:
    """Group parameters by learning rate and weight decay; biases and norms do not decay."""
    layers = model.encoder.config.num_hidden_layers
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if ".embeddings." in name:
            depth = layers + 1
        elif name.startswith("encoder."):
            number = next((int(part) for part in name.split(".") if part.isdigit()), layers - 1)
            depth = layers - number
        else:
            depth = 0
        rate = stage.learning_rate * (recipe.layer_decay**depth if depth else stage.head_rate)
        decay = recipe.weight_decay if parameter.dim() > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": params, "lr": lr, "weight_decay": decay} for (lr, decay), params in groups.items()]


def initialise(recipe: Recipe, folder: Path) -> None:
    """Write the model that training starts from, with its tokenizer, to ``folder``."""
    place = find_model(recipe.model)
    AutoConfig.register(StanceConfig.model_type, StanceConfig, exist_ok=True)
    config = AutoConfig.from_pretrained(place)
    given = {"window": recipe.window, "overlap": recipe.overlap}
    settings = {name: value for name, value in given.items() if value is not None}
    if isinstance(config, StanceConfig):
        if idle := sorted(recipe.model_fields_set & {"dropout", "pointer_size", "pretrained"}):
            raise ConfigurationError(
                f"{recipe.model} is a Stance model, whose {', '.join(idle)} is settled; leave it out"
            )
        before = find_folder(place)
        model = StanceModel.from_pretrained(before, dtype=torch.float32)
        check_window(model, settings.get("window", config.settings["window"]))
        save(model, before, folder, torch.float32, settings)
        return
    for name in ("hidden_dropout_prob", "embedding_dropout", "mlp_dropout"):
        if hasattr(config, name):
            setattr(config, name, recipe.dropout)
    # Dropout inside attention would cost the fused kernel, and gains nothing measurable.
    config.attention_probs_dropout_prob = 0.0
    config.attention_dropout = 0.0
    with TemporaryDirectory() as tokenizer:
        AutoTokenizer.from_pretrained(place).save_pretrained(tokenizer)
        rows = without_unused(Path(tokenizer))
        if rows:
            config.vocab_size = len(rows)
        # Where the encoder lay on this machine is nobody's business.
        encoder = {key: value for key, value in config.to_dict().items() if key != "_name_or_path"}
        config = StanceConfig(encoder=encoder, pointer_size=recipe.pointer_size, head_dropout=recipe.dropout)
        model = StanceModel(config)
        if recipe.pretrained:
            pretrained = AutoModel.from_pretrained(place, dtype=torch.float32)
            if rows:
                embeddings = pretrained.get_input_embeddings()
                embeddings.weight = nn.Parameter(embeddings.weight[rows])
            # The pooling layer is left out, see StanceModel.
            model.encoder.load_state_dict(pretrained.state_dict(), strict=False)
        check_window(model, settings.get("window", Settings().window))
        save(model, Path(tokenizer), folder, torch.float32, settings)


def check_window(model: StanceModel, window: int) -> None:
    """Refuse windows that the encoder has no positions for, before hours of training."""
    tokens = torch.zeros(1, window, dtype=torch.long)
    try:
        with torch.no_grad():
            model.eval()(tokens, torch.ones_like(tokens), tokens, tokens)
    except (IndexError, RuntimeError) as error:
        raise ConfigurationError(
            f"the encoder cannot read a window of {window} tokens, make it smaller: {error}"
        ) from error


def find_model(model: str) -> str:
    """Turn a recipe's ``model`` into a folder or a hub id."""
    if model == "default":
        return str(DEFAULT_MODEL)
    if not model.startswith("package:"):
        return model
    spec = importlib.util.find_spec(model.removeprefix("package:"))
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the Python package of {model!r} is not installed; pip install 'stance[train]'")
    return str(next(Path(spec.origin).parent.rglob("config.json")).parent)


def save(
    model: StanceModel,
    tokenizer_from: Path,
    folder: Path,
    dtype: torch.dtype,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Save a model with its tokenizer and changed settings; a folder under its own name is always whole."""
    model.config.settings = asdict(Settings.from_dict({**model.config.settings, **(settings or {})}))
    part = folder.with_name(f"{folder.name}.part")
    model.to(dtype).save_pretrained(part)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer_from / name, part / name)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def main() -> None:
    """Train by the recipe named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="a YAML file such as configs/default.yaml")
    arguments = parser.parse_args()
    train(read_recipe(arguments.config))


if __name__ == "__main__":
    main()
