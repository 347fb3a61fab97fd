"""Distillation: a student comes closer to its teacher, keeps nothing of it, and resumes after a kill."""

import json
import shutil

import pytest
import torch
import yaml
from safetensors.torch import load_file

from stance import labelled
from stance.loading import load_windower
from stance.modeling import StanceModel, StanceOutput
from stance.settings import Settings
from training.configuration import ConfigurationError, Recipe, read_recipe
from training.corpora import from_labelled
from training.data import collate, features
from training.distillation import Distillation, answer_loss, corresponding_tokens, feature_loss
from training.train import initialise, train

ENCODER = "tests/fixtures/tiny-encoder"


def taught(tmp_path, **more):
    """A recipe whose only stage has a teacher, of another seed."""
    smoke = read_recipe("configs/smoke.yaml").model_dump(mode="json", exclude_unset=True)
    teacher = smoke | {"output": str(tmp_path / "teacher"), "seed": 5} | more
    (tmp_path / "teacher.yaml").write_text(yaml.safe_dump(teacher), encoding="utf-8")
    stage = smoke["stages"][0] | {"teacher": str(tmp_path / "teacher.yaml")}
    values = smoke | {"output": str(tmp_path / "run"), "stages": [stage]} | more
    return Recipe.model_validate_json(json.dumps(values))


def batch(folder):
    windower, pad_id = load_windower(folder, Settings(window=96, overlap=24))
    articles = map(from_labelled, labelled.read("tests/fixtures/tiny.jsonl"))
    return collate(features(articles, windower)[:4], pad_id, mask_id=1, word_dropout=0.3)


def answers(seed=0):
    torch.manual_seed(seed)
    shapes = [(3, 4), (3, 2, 5), (3, 2, 5), (3, 2, 5), (5, 3), (5, 2)]
    return StanceOutput(*(torch.randn(2, *shape, requires_grad=True) for shape in shapes))


IS_THERE = torch.tensor([[True, True, True], [True, False, False]])
MASK = torch.tensor([[True] * 5, [True, True, True, False, False]])


def test_nothing_is_to_be_learned_from_ones_own_answers():
    own = answers()
    answer_loss(
        own, StanceOutput(*(one.detach() for one in vars(own).values() if one is not None)), IS_THERE, MASK
    ).backward()
    for head in ("label", "mention", "name", "target", "evidence"):
        assert getattr(own, f"{head}_logits").grad.abs().max() < 1e-6, head


def test_every_answer_to_a_sentence_is_learned_and_none_to_padding():
    own = answers()
    answer_loss(own, answers(seed=1), IS_THERE, MASK).backward()
    for head in ("label", "mention", "name", "target"):
        grad = getattr(own, f"{head}_logits").grad.flatten(2).abs().sum(-1)
        assert ((grad > 0) == IS_THERE).all(), head
    assert ((own.evidence_logits.grad.abs().sum(-1) > 0) == MASK).all()


def test_a_feature_counts_alike_however_large_it_is():
    torch.manual_seed(0)
    own, theirs = torch.randn(50, 3), torch.randn(50, 3)
    scale = torch.tensor([1.0, 100.0, 10.0])
    assert feature_loss(own, theirs * scale + 7) == pytest.approx(feature_loss(own, theirs).item(), rel=0.02)
    centred = (theirs - theirs.mean(0)) / theirs.std(0, correction=0)
    assert feature_loss(centred, theirs) < 1e-4
    assert torch.isfinite(feature_loss(own[:1], theirs[:1]))


def test_tokens_are_found_by_what_they_are_and_special_ones_by_what_they_are_for(tmp_path):
    shutil.copytree(ENCODER, tmp_path / "other")
    file = tmp_path / "other/tokenizer.json"
    tokenizer = json.loads(file.read_text(encoding="utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    words = [token for token in vocabulary if not token.startswith("[")]
    numbers = [vocabulary[token] for token in words]
    vocabulary |= dict(zip(words, reversed(numbers), strict=True))
    file.write_text(json.dumps(tokenizer), encoding="utf-8")
    found = corresponding_tokens(ENCODER, tmp_path / "other")
    assert {found[number].item() for number in numbers} == set(numbers)
    assert [found[number].item() for number in numbers] == numbers[::-1]
    assert found[vocabulary["[MASK]"]] == vocabulary["[MASK]"]
    # What hides words and begins texts is called otherwise there.
    text = json.dumps(tokenizer).replace("[MASK]", "<mask>").replace("[CLS]", "<s>")
    file.write_text(text, encoding="utf-8")
    settings = tmp_path / "other/tokenizer_config.json"
    named = settings.read_text(encoding="utf-8").replace("[MASK]", "<mask>").replace("[CLS]", "<s>")
    settings.write_text(named, encoding="utf-8")
    assert torch.equal(corresponding_tokens(ENCODER, tmp_path / "other"), found)
    tokenizer = json.loads(text)
    del tokenizer["model"]["vocab"][words[0]]
    file.write_text(json.dumps(tokenizer), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="lacks 1 tokens"):
        corresponding_tokens(ENCODER, tmp_path / "other")


def test_a_student_comes_closer_to_what_its_teacher_answers_and_holds(tmp_path):
    smoke = read_recipe("configs/smoke.yaml")
    for seed, name in ((1, "student"), (2, "teacher")):
        torch.manual_seed(seed)
        initialise(smoke, tmp_path / name)
    student = StanceModel.from_pretrained(tmp_path / "student").train()
    distillation = Distillation(tmp_path / "teacher", student, tmp_path / "student", torch.device("cpu"))
    inputs = batch(tmp_path / "student")
    del inputs["gold"]
    whole_ids = inputs.pop("whole_ids")
    assert not torch.equal(whole_ids, inputs["input_ids"])
    optimizer = torch.optim.Adam(student.parameters(), 3e-3)
    losses = []
    for _ in range(30):
        loss = distillation.loss(torch.zeros(()), inputs, whole_ids, student(**inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    assert all(value.grad is None for value in distillation.teacher.parameters())
    distillation.detach(student)
    assert "bridge" not in dict(student.named_children())
    assert type(student(**inputs)) is StanceOutput


def test_the_teacher_is_trained_first_and_the_model_keeps_nothing_of_it(tmp_path):
    recipe = taught(tmp_path)
    weights = load_file(train(recipe) / "model.safetensors")
    assert (tmp_path / "teacher/model/config.json").is_file()
    alone = recipe.model_copy(
        update={
            "output": str(tmp_path / "alone"),
            "stages": [stage.model_copy(update={"teacher": None}) for stage in recipe.stages],
        }
    )
    others = load_file(train(alone) / "model.safetensors")
    assert weights.keys() == others.keys()
    assert any(not torch.equal(weights[name], others[name]) for name in weights)


def test_a_student_is_taught_in_bfloat16_too(tmp_path):
    weights = load_file(train(taught(tmp_path, precision="bf16")) / "model.safetensors")
    assert all(value.isfinite().all() for value in weights.values())


def test_a_teacher_has_not_seen_the_fold_either(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(
        "training.train.features",
        lambda articles, windower: read.append([article.text for article in articles]) or features(articles, windower),
    )
    articles = [
        {**article, "fold": index % 2} for index, article in enumerate(labelled.read("tests/fixtures/tiny.jsonl"))
    ]
    labelled.write(tmp_path / "folds.jsonl", articles)
    recipe = taught(tmp_path)
    source = {"reader": "labelled", "path": str(tmp_path / "folds.jsonl")}
    teacher = yaml.safe_load((tmp_path / "teacher.yaml").read_text(encoding="utf-8"))
    teacher["stages"][0]["sources"] = [source]
    (tmp_path / "teacher.yaml").write_text(yaml.safe_dump(teacher), encoding="utf-8")
    values = recipe.model_dump(mode="json", exclude_unset=True) | {"calibration_fold": 1}
    values["stages"][0]["sources"] = [source]
    assert train(Recipe.model_validate_json(json.dumps(values))).name == "model-without-fold-1"
    assert [path.name for path in (tmp_path / "teacher").glob("model*")] == ["model-without-fold-1"]
    held_out = {article["text"] for article in articles if article["fold"] == 1}
    assert len(read) == 2
    assert all(texts and held_out.isdisjoint(texts) for texts in read)


def test_a_finished_student_needs_no_teacher_any_more(tmp_path):
    recipe = taught(tmp_path)
    folder = train(recipe)
    shutil.rmtree(tmp_path / "teacher")
    assert train(recipe) == folder
    assert not (tmp_path / "teacher").exists()


def test_a_teacher_has_no_teacher(tmp_path):
    recipe = taught(tmp_path)
    values = recipe.model_dump(mode="json", exclude_unset=True)
    (tmp_path / "teacher.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="whose stages have no teacher themselves"):
        train(recipe)


def test_a_killed_student_resumes_to_the_same_weights(tmp_path, train_until_killed):
    recipe = taught(tmp_path)
    whole = load_file(train(recipe) / "model.safetensors")
    cut = recipe.model_copy(update={"output": str(tmp_path / "cut")})
    train_until_killed(cut)
    resumed = load_file(train(cut) / "model.safetensors")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_a_teacher_that_splits_texts_otherwise_is_refused_before_the_student_trains(tmp_path):
    shutil.copytree(ENCODER, tmp_path / "other")
    file = tmp_path / "other/tokenizer.json"
    tokenizer = json.loads(file.read_text(encoding="utf-8"))
    tokenizer["model"]["vocab"].popitem()
    file.write_text(json.dumps(tokenizer), encoding="utf-8")
    recipe = taught(tmp_path)
    teacher = yaml.safe_load((tmp_path / "teacher.yaml").read_text(encoding="utf-8"))
    teacher |= {"model": str(tmp_path / "other")}
    (tmp_path / "teacher.yaml").write_text(yaml.safe_dump(teacher), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="must split texts as its student does"):
        train(recipe)
    assert not (tmp_path / "run/stance").exists()
