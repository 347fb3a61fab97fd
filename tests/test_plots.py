"""Plots show what was counted, in the colours and signs of every other surface."""

import json
import subprocess
import sys

import pytest

from stance import plots
from stance.document import Label
from stance.evaluation import evaluate
from stance.palette import MARKS

pytest.importorskip("matplotlib", reason="the extra plots is not installed")


@pytest.fixture
def evaluation(articles):
    predicted = [dict(article, sentences=[dict(one) for one in article["sentences"]]) for article in articles]
    for number, record in enumerate(record for article in predicted for record in article["sentences"]):
        record["confidence"] = 0.9 - number / 10
    predicted[1]["sentences"][0]["label"] = "denial"
    return evaluate(articles, predicted)


def texts(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


def drawn(figure, tmp_path):
    figure.savefig(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
    return figure.axes


def test_speakers_have_a_bar_divided_by_label(document, tmp_path):
    (axes,) = drawn(plots.plot_speakers(document), tmp_path)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Ada Brook", "Cole Reed", "author"]
    assert texts(axes) == ["+ 1", "- 2", "! 1"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["+ asserts", "- denies", "! alleges"]


def test_speakers_of_a_corpus_add_up_and_the_most_cited_are_kept(document, tmp_path):
    (axes,) = drawn(plots.plot_speakers([document, document], limit=1), tmp_path)
    assert texts(axes) == ["- 4"]


def test_a_name_is_no_formula(document, tmp_path):
    import dataclasses

    speaker = dataclasses.replace(document.sentences[0].speaker, name="$x_{$")
    sentences = (dataclasses.replace(document.sentences[0], speaker=speaker),)
    drawn(plots.plot_speakers(dataclasses.replace(document, sentences=sentences)), tmp_path)


def test_nobody_is_an_empty_plot(tmp_path):
    drawn(plots.plot_speakers([]), tmp_path)


def test_the_confusion_matrix_shows_every_count(evaluation, tmp_path):
    (axes,) = drawn(plots.plot_confusion(evaluation), tmp_path)
    counts = [int(text.split()[0]) for text in texts(axes)]
    assert sum(counts) == evaluation.sentences == 6
    assert [label.get_text() for label in axes.get_xticklabels()] == [f"{MARKS[label].sign} {label}" for label in Label]


def test_risk_grows_with_the_sentences_kept(evaluation, tmp_path):
    (axes,) = drawn(plots.plot_risk_coverage(evaluation), tmp_path)
    coverage, risk = axes.lines[0].get_data()
    assert list(coverage) == pytest.approx([n / 6 for n in range(1, 7)])
    assert list(risk) == pytest.approx([0, 0, 0, 0, 1 / 5, 1 / 6])


def test_risk_needs_confidence(articles):
    for article in articles:
        article["sentences"] = [{k: v for k, v in one.items() if k != "confidence"} for one in article["sentences"]]
    with pytest.raises(ValueError, match="no prediction states its confidence"):
        plots.plot_risk_coverage(evaluate(articles, articles))


def test_training_curves_follow_the_stages(tmp_path):
    for stage, number in (("first", 9), ("first", 10), ("second", 5)):
        folder = tmp_path / f"{stage}-checkpoints" / f"checkpoint-{number}"
        folder.mkdir(parents=True)
        history = [
            {"step": number - 1, "loss": 0.5},
            {"step": number, "eval_macro-F1": 0.7, "eval_joint accuracy": 0.6},
        ]
        (folder / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    loss, score = drawn(plots.plot_training(tmp_path), tmp_path)
    assert sorted(text.get_text() for text in loss.texts) == ["first", "second"]
    assert [text.get_text() for text in score.get_legend().get_texts()] == ["macro-F1", "joint accuracy"]
    assert {line.get_xdata()[0] for line in loss.lines} in ({9, 14}, {4, 14})


def test_no_training_run_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint of a training run lies here"):
        plots.plot_training(tmp_path)


def test_without_matplotlib_the_extra_is_named():
    code = (
        "import sys; sys.modules['matplotlib'] = sys.modules['matplotlib.figure'] = None\n"
        "from stance.plots import plot_speakers\n"
        "try: plot_speakers([])\nexcept ImportError as error: print(error)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "matplotlib is not installed; install it with: pip install 'stance[plots]'\n"
