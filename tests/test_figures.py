"""Quoted figures: each is the report's, and the report is of the model, the labelled sets and the code at hand."""

import re

import pytest

import stance
from stance.document import Document
from stance.engines import GRAPHS
from stance.loading import DEFAULT_MODEL
from tools import ROOT
from tools.figures import PAGES, figure, fill, read_report
from tools.report import EVERYTHING, EXAMPLE, SEEDS, code_fingerprint, fingerprints, still_true
from tools.speed import QUOTES, read_measurements, work
from training.configuration import sha256

# How far two annotations agree was measured when the data was labelled, and is no figure about the model.
AGREEMENT = {"0.956", "0.963", "0.960", "0.915", "0.901", "0.970", "0.950", "0.812"}


@pytest.fixture(scope="module")
def report():
    return read_report()


def test_the_report_is_of_this_model(report):
    assert report["model"] == fingerprints(DEFAULT_MODEL), "the model has changed: make evaluate"


def test_the_report_is_of_the_code_that_decides(report):
    assert report.get("code") == code_fingerprint(), f"the code has changed: {EVERYTHING}"


def test_the_speed_is_that_of_a_graph_with_as_much_to_compute():
    pytest.importorskip("onnx", reason="needs the extra export: pip install 'stance[export]'")
    assert read_measurements()["graph"] == work(DEFAULT_MODEL / GRAPHS["onnx-int8"]), "see docs/performance.md"


@pytest.mark.parametrize("path", SEEDS)
def test_the_report_is_of_these_labelled_sets(report, path):
    assert report["sets"][path]["sha256"] == sha256(ROOT / path), "make evaluate"


def test_the_report_gives_what_the_code_gives(report):
    reported = Document.from_dict(report["example"])
    document = stance.classify((ROOT / EXAMPLE).read_text(encoding="utf-8"))
    # int8 rounds a little differently on each kind of processor, and tips over what is close to a tie.
    for one, other in zip(document.sentences, reported.sentences, strict=True):
        assert (one.start, one.end) == (other.start, other.end), "make evaluate"
        assert one.confidence == pytest.approx(other.confidence, abs=0.05), "make evaluate"
        if other.confidence > 0.7:
            assert one.label == other.label, "the default model says something else than it did: make evaluate"
            assert (one.target is None) == (other.target is None), "make evaluate"
        if other.speaker and other.confidence > 0.7 and other.speaker_confidence > 0.7:
            assert one.speaker is not None, "make evaluate"
            assert one.speaker.name == other.speaker.name, "make evaluate"


@pytest.mark.parametrize("page", PAGES)
def test_every_quoted_figure_is_the_reports(report, page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert fill(text, report) == text, "make figures"


@pytest.mark.parametrize("page", PAGES)
def test_no_figure_is_typed_by_hand(page):
    text = re.sub(r"<!-- figures:.*?<!-- /figures -->", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert set(re.findall(r"\b0\.\d{3}\b", text)) <= AGREEMENT


def test_a_set_keeps_its_figures_while_model_code_and_data_are_the_same(tmp_path, monkeypatch):
    for file in ("labelled-train.jsonl.gz", "labelled-dev.jsonl"):
        (tmp_path / file).write_text(file, encoding="utf-8")
    now = {"model": {"config.json": "1"}, "code": "2"}
    sets = {"out-of-fold": {"sha256": sha256(tmp_path / "labelled-train.jsonl.gz")}}
    sets["labelled-dev"] = {"sha256": sha256(tmp_path / "labelled-dev.jsonl")}
    before = now | {"sets": sets}
    monkeypatch.delenv("STANCE_DATA", raising=False)
    assert still_true(before, now) == sets
    monkeypatch.setenv("STANCE_DATA", str(tmp_path))
    assert still_true(before, now) == sets
    assert still_true(before, now | {"code": "3"}) == still_true(before, now | {"model": {}}) == {}
    assert still_true({"model": now["model"], "sets": sets}, now) == {}, "a report that does not tell of its code"
    (tmp_path / "labelled-dev.jsonl").write_text("other", encoding="utf-8")
    assert list(still_true(before, now)) == ["out-of-fold"]
    (tmp_path / "labelled-dev.jsonl").unlink()
    assert still_true(before, now) == sets, "what is not at hand cannot be compared"


def test_a_changed_figure_is_noticed(report):
    text = "macro-F1 <!-- figures: seeds/test.jsonl | macro-F1 -->0.999<!-- /figures -->"
    assert fill(text, report) != text


def test_figures_are_written_as_people_write_them():
    measured = {"articles": 1234, "sentences": 5, "metrics": {"ECE": 0.0194}, "folds": [0, 1]}
    confusion = {"denial": {"denial": 3, "none": 1}, "none": {"denial": 2, "none": 0}}
    measured |= {"confusion": confusion, "targets": {"allegations found": 9, "right": 7}}
    measured |= {"changed by int8": {"label or speaker": 0.00724}}
    assert figure(measured, "articles") == "1,234"
    assert figure(measured, "ECE") == "0.019"
    assert figure(measured, "folds") == "0, 1"
    assert figure(measured, "found denial") == "3 of 4"
    assert figure(measured, "right denial") == "3 of 5"
    assert figure(measured, "targets") == "7 of 9"
    assert figure(measured, "changed label or speaker") == "0.72%"


def test_the_share_of_the_bare_encoders_speed_is_quoted_with_its_spread(tmp_path, monkeypatch):
    (tmp_path / "speed.json").write_text('{"cases": [{"case": "share", "shares": [0.9, 0.95, 0.8]}]}', encoding="utf-8")
    monkeypatch.setattr("tools.speed.FIGURES", tmp_path / "speed.json")
    assert QUOTES["share"]() == "0.90 (the median of 3 turns, from 0.80 to 0.95)"


def test_a_figure_that_was_not_measured_is_an_error(report):
    with pytest.raises(KeyError):
        fill("<!-- figures: seeds/test.jsonl | accuracy --><!-- /figures -->", report)
