"""The classifier keeps order and offsets, names bad items, and gives the same answers in any batch."""

import pickle
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from stance import StanceClassifier
from stance.engines import GRAPHS
from stance.loading import FILES, WEIGHTS

ARTICLE = "Mayor Ada Roy denied the claim.\n\n“It is false,” she said. Critics disagree.\n\nShare this page"


def test_a_document_has_the_text_and_every_sentence(tiny):
    doc = tiny.classify(ARTICLE)
    assert doc.text == ARTICLE
    assert doc.id is None
    assert [s.text for s in doc.sentences] == [ARTICLE[s.start : s.end] for s in doc.sentences]
    assert "".join("".join(s.text.split()) for s in doc.sentences) == "".join(ARTICLE.split())


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_blank_text_has_no_sentences(tiny, text):
    assert tiny.classify(text).sentences == ()


@pytest.mark.parametrize(
    "text",
    [
        "?!...",
        "\x00",
        "\ud800",
        "a\r\nb",
        "a\fb",
        "😀 e\u0301",
        "قال إنه لا يعلم.",
        "x" * 100_000,
        "A" * 100_000,
        "word " * 20_000,
    ],
    ids=[
        "punctuation",
        "nul",
        "surrogate",
        "crlf",
        "formfeed",
        "emoji",
        "rtl",
        "one word",
        "one shout",
        "one sentence",
    ],
)
def test_odd_text_loses_nothing(tiny, text):
    doc = tiny.classify(text)
    assert "".join("".join(s.text.split()) for s in doc.sentences) == "".join(text.split())


def test_stream_takes_pairs_and_is_lazy(tiny):
    def articles():
        yield "a", "One."
        yield "Two."
        raise AssertionError("read too far")

    stream = tiny.stream(articles(), batch_size=1)
    assert [(next(stream).id), next(stream).id] == ["a", None]


def test_own_boundaries_are_kept(tiny):
    doc = tiny.classify("One. Two", sentences=[(0, 2), (2, 8)])
    assert [(s.start, s.end) for s in doc.sentences] == [(0, 2), (2, 8)]


def test_own_boundaries_of_several_texts_come_from_any_iterable(tiny):
    docs = tiny.classify(["One. Two", "So."], sentences=iter([np.array([[0, 2], [2, 8]]), iter([(0, 3)])]))
    assert [[(s.start, s.end) for s in doc.sentences] for doc in docs] == [[(0, 2), (2, 8)], [(0, 3)]]


def test_min_confidence_marks_and_changes_no_label(tiny):
    plain, marked = tiny.classify(ARTICLE), tiny.classify(ARTICLE, min_confidence=1.0)
    assert [s.label for s in plain.sentences] == [s.label for s in marked.sentences]
    assert all(s.abstained for s in marked.sentences)
    assert not any(s.abstained for s in plain.sentences)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: c.classify(3), TypeError, "not int"),
        (lambda c: c.classify(["a", None]), TypeError, "item 1 is a NoneType"),
        (lambda c: c.classify(x for x in "ab"), TypeError, "stream"),
        (lambda c: list(c.stream(["a", ("x", 2)])), TypeError, "item 1"),
        (lambda c: c.stream("a"), TypeError, "for one text use classify"),
        (lambda c: c.stream(None), TypeError, "an iterable of texts, not NoneType"),
        (lambda c: c.stream(["a"], batch_size=0), ValueError, "batch_size"),
        (lambda c: c.stream(["a"], batch_size=2.5), TypeError, "batch_size must be a whole number .* not 2.5"),
        (lambda c: c.classify("a", min_confidence=2), ValueError, "between 0 and 1"),
        (lambda c: c.classify("a", min_confidence="0.5"), TypeError, "min_confidence must be a number .* not '0.5'"),
        (lambda c: c.classify(["a"], sentences=[]), ValueError, "1 texts"),
        (lambda c: c.classify(["a"], sentences=7), TypeError, "one list of pairs .* a text, not int"),
        (lambda c: c.classify(["a", "b"], sentences=[(0, 1), (0, 1)]), TypeError, "give one list of pairs a text"),
        (lambda c: c.classify(["a", "b"], sentences=[[(0, 1)], [(0, 2)]]), ValueError, r"text 1, sentence 0: \(0, 2\)"),
        (lambda c: c.classify(["a", "b"], sentences=[[(0, 1)], []]), ValueError, "text 1, after the last sentence"),
    ],
)
def test_bad_input_is_named(tiny, call, error, message):
    with pytest.raises(error, match=message):
        call(tiny)


def test_save_and_load_give_the_same_classifier(tiny, tmp_path):
    tiny.save_pretrained(tmp_path / "copy")
    again = StanceClassifier.from_pretrained(tmp_path / "copy")
    assert again.classify(ARTICLE) == tiny.classify(ARTICLE)


def test_saving_leaves_no_weights_of_another_model(tiny, tmp_path):
    for graph in GRAPHS.values():
        (tmp_path / graph).write_bytes(b"another network")
    tiny.save_pretrained(tmp_path)
    assert StanceClassifier.from_pretrained(tmp_path).classify(ARTICLE) == tiny.classify(ARTICLE)
    tiny.save_pretrained(tiny.folder)
    assert (tiny.folder / WEIGHTS[0]).is_file()


@pytest.fixture
def hub(monkeypatch):
    """What was asked of the hub."""
    asked = []

    class Api:
        def create_repo(self, repository, private, exist_ok):
            asked.append((repository, private))

        def upload_folder(self, **upload):
            asked.append(upload)
            return SimpleNamespace(commit_url="https://hub.example/commit")

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    return asked


def test_the_hub_gets_the_model_and_keeps_no_weights_of_another(tiny, hub):
    assert tiny.push_to_hub("newsroom/tiny", private=True) == "https://hub.example/commit"
    created, upload = hub
    assert created == ("newsroom/tiny", True)
    assert upload["repo_id"] == "newsroom/tiny"
    assert upload["folder_path"] == tiny.folder
    assert upload["allow_patterns"] == [*FILES, WEIGHTS[0]]
    assert upload["delete_patterns"] == [*GRAPHS.values()]


def test_a_model_whose_folder_has_gone_is_not_saved(tiny, hub, tmp_path):
    folder = shutil.copytree(tiny.folder, tmp_path / "gone")
    moved = StanceClassifier.from_pretrained(folder)
    shutil.rmtree(folder)
    for save in (lambda: moved.save_pretrained(tmp_path / "copy"), lambda: moved.push_to_hub("newsroom/tiny")):
        with pytest.raises(FileNotFoundError, match="gone"):
            save()
    assert hub == []
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("engine", ["onnx-int8", "torch"])
def test_a_classifier_goes_to_other_processes(engine):
    classifier = StanceClassifier.from_pretrained(engine=engine)
    assert pickle.loads(pickle.dumps(classifier)).classify(ARTICLE) == classifier.classify(ARTICLE)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        StanceClassifier.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"lacks config\.json"):
        StanceClassifier.from_pretrained(tmp_path)
