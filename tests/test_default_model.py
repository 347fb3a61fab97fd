"""The embedded default model: small, offline, and right about plain cases."""

import json
import os
import re
import unicodedata
from pathlib import Path

import pytest
from safetensors.torch import load_file

import stance
from stance import labelled
from stance.loading import DEFAULT_MODEL
from stance.matching import judge


def test_it_is_at_most_75_megabytes_and_its_weights_at_most_50():
    assert sum(file.stat().st_size for file in DEFAULT_MODEL.iterdir()) <= 75_000_000
    assert (DEFAULT_MODEL / "model.safetensors").stat().st_size <= 50_000_000
    assert {str(value.dtype) for value in load_file(DEFAULT_MODEL / "model.safetensors").values()} == {"torch.float16"}


def test_a_denial_and_an_accusation_go_to_those_who_make_them():
    text = (
        "Harbour chief Selma Okoro denied on Monday that she had taken bribes.\n\n"
        "Union leader Piet Varga accused the shipping firm Brandt Lines of poisoning the bay.\n\n"
        "The ferry leaves at nine.\n"
    )
    denial, allegation, plain = stance.classify(text).sentences
    assert (denial.label, denial.speaker.name) == ("denial", "Selma Okoro")
    assert (allegation.label, allegation.speaker.name) == ("allegation", "Piet Varga")
    assert "Brandt Lines" in allegation.target.text
    assert (plain.label, plain.speaker.kind) == ("assertion", "author")


def test_a_pronoun_is_resolved_to_a_name():
    doc = stance.classify('Mayor Ada Brook opened the bridge on Friday.\n\n"It will last a century," she said.')
    assert doc.sentences[1].speaker.name == "Ada Brook"


@pytest.mark.parametrize(
    "respell",
    [
        lambda text: text.replace(" ", "\u00a0"),
        lambda text: text.replace(". ", ".  ").replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\n    "),
        lambda text: re.sub(r"\b(\w{3})(\w{3})", "\\1\u00ad\\2", text),
        lambda text: text.replace(" ", " \u200b"),
        lambda text: unicodedata.normalize("NFD", text),
    ],
    ids=["non-breaking", "wide", "indented", "soft hyphens", "zero width", "accents"],
)
def test_how_a_text_is_spelt_changes_neither_labels_nor_speakers(respell):
    text = (
        "Bishop Renée Sangaré denied on Monday that she had hidden the letters.\n\n"
        "José Ibarra, the treasurer, accused the diocese of Vellamo of shredding them.\n\n"
        "“They were there in May,” Ibarra said. Sangaré said the archive had flooded.\n"
    )
    first, second = ([_said(sentence) for sentence in stance.classify(one).sentences] for one in (text, respell(text)))
    assert first == second
    assert {speaker for _, speaker, _ in first} == {"Renée Sangaré", "José Ibarra"}


def _said(sentence):
    names = (sentence.speaker and sentence.speaker.name, sentence.target and sentence.target.text)
    plain = (name and re.sub("[\u00ad\u200b]", "", unicodedata.normalize("NFC", name)) for name in names)
    return sentence.label, *(name and " ".join(name.split()) for name in plain)


def test_the_public_functions_work_together(tmp_path):
    articles = labelled.read("seeds/dev.jsonl")[:3]
    evaluation = stance.evaluate(articles)
    documents = list(stance.load().stream((article["id"], article["text"]) for article in articles))
    assert evaluation.metrics == stance.evaluate(articles, documents).metrics
    assert evaluation.sentences == sum(len(article["sentences"]) for article in articles)


@pytest.mark.corpora
@pytest.mark.skipif("STANCE_DATA" not in os.environ, reason="STANCE_DATA names no folder of corpora")
def test_the_article_about_daquq_comes_out_readable():
    line = json.loads(Path(os.environ["STANCE_DATA"], "daquq.jsonl").read_text(encoding="utf-8"))
    doc = stance.classify(line["text"])
    judged = list(judge(line, doc.to_dict()))
    for name in ("Igor Konashenkov", "Maria Zakharova", "Combined Joint Task Force", "Saad al Mutlabi"):
        own = [one.speaker_right for one in judged if one.gold_speaker == name]
        assert name in {speaker.name for speaker in doc.speakers}
        assert sum(own) >= 0.75 * len(own) > 1, name
    assert {one.predicted.value for one in judged if one.gold == "none"} == {"none"}
    denials = [s for s in doc.sentences if s.label == "denial" and s.speaker.name == "Combined Joint Task Force"]
    assert len(denials) == 2


@pytest.mark.corpora
@pytest.mark.skipif("STANCE_DATA" not in os.environ, reason="STANCE_DATA names no folder of corpora")
def test_the_stand_off_labels_belong_to_the_article():
    folder = Path(os.environ["STANCE_DATA"])
    (joined,) = labelled.join("seeds/standoff/daquq.jsonl", labelled.read(folder / "daquq.jsonl"))
    assert joined == labelled.read(folder / "daquq.jsonl")[0]


def test_the_configuration_tells_nothing_about_the_machine_that_trained():
    assert "_name_or_path" not in (DEFAULT_MODEL / "config.json").read_text(encoding="utf-8")
