"""spaCy: the component on any pipeline, in other processes, and stored with its documents."""

import importlib.metadata
from pathlib import Path

import pytest

spacy = pytest.importorskip("spacy", reason="needs the extra spacy")

from stance.integrations import spacy as component  # noqa: E402

TEXT = "Ada Brook denied it.  It rained.\n\nThe end."


@pytest.fixture(scope="module")
def nlp(tiny):
    """A blank pipeline with the tiny model."""
    pipeline = spacy.blank("en")
    pipeline.add_pipe("stance", config={"model": str(tiny.folder), "min_confidence": 0.5})
    return pipeline


def test_the_result_is_on_document_and_spans(nlp, tiny):
    doc = nlp(TEXT)
    expected = tiny.classify(TEXT, min_confidence=0.5)
    assert doc._.stance == expected
    assert [span._.stance for span in doc.spans["stance"]] == list(expected.sentences)
    for span, sentence in zip(doc.spans["stance"], expected.sentences, strict=True):
        assert (span.text, span.label_) == (sentence.text, sentence.label)
        assert span._.speaker == (sentence.speaker and sentence.speaker.name)
    assert doc[0:2]._.stance is None
    assert doc[0:2]._.speaker is None
    assert nlp.make_doc(TEXT)._.stance is None
    assert len(nlp("").spans["stance"]) == 0


def test_a_part_copied_with_all_that_is_known_of_the_whole_has_no_result(nlp):
    doc = nlp("Ann denied it. It did happen.")
    part = doc.spans["stance"][1].as_doc(copy_user_data=True)
    assert part._.stance is None
    assert part[:]._.stance is part[:]._.speaker is None


def test_sentences_that_begin_in_one_token_keep_their_spans_apart(nlp):
    merged = spacy.tokens.Doc(nlp.vocab, words=["Ada denied it. It", "rained. Bob", "lied."])
    spans = nlp(merged).spans["stance"]
    assert [span._.stance.text for span in spans] == ["Ada denied it.", "It rained.", "Bob lied."]


def test_it_is_stored_with_the_document(nlp):
    doc = nlp(TEXT)
    again = spacy.tokens.Doc(spacy.blank("en").vocab).from_bytes(doc.to_bytes())
    assert again._.stance == doc._.stance
    assert [span._.speaker for span in again.spans["stance"]] == [span._.speaker for span in doc.spans["stance"]]


def test_batches_and_processes_change_nothing(nlp):
    texts = [TEXT, "", "It rained again.", TEXT * 3]
    expected = [nlp(text)._.stance for text in texts]
    for parallel in (1, 2):
        docs = list(nlp.pipe(texts, batch_size=2, n_process=parallel))
        assert [doc.text for doc in docs] == texts
        found = [[(s.label, s.start, s.end) for s in doc._.stance.sentences] for doc in docs]
        assert found == [[(s.label, s.start, s.end) for s in doc.sentences] for doc in expected]


def test_the_pipeline_is_stored_with_its_settings(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path)(TEXT)._.stance == nlp(TEXT)._.stance


def test_displacy_shows_the_spans(nlp):
    doc = nlp(TEXT)
    html = spacy.displacy.render(doc, style="span", options=component.DISPLACY_OPTIONS, jupyter=False)
    label = doc.spans["stance"][0].label_
    assert label in html
    assert component.DISPLACY_OPTIONS["colors"][label] in html


def test_spacy_finds_the_factory_by_entry_point():
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    target = project["entry-points"]["spacy_factories"]["stance"]
    entry = importlib.metadata.EntryPoint("stance", target, "spacy_factories")
    assert entry.load() is component.make_stance
