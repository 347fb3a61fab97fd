"""What several test files share: a small article labelled by hand, as a labelled set and as a document."""

import copy

import pytest
from hypothesis import settings

from stance.classifier import StanceClassifier
from stance.document import Document, Label, Sentence, Span, Speaker
from stance.modeling import StanceModel
from training.configuration import read_recipe
from training.train import initialise

settings.register_profile("stance", deadline=None)  # a busy machine is no failure
settings.load_profile("stance")

SMALLEST = 1_000
"""Numbers of the smallest weight that is worth 8 bits in a tiny model, all of whose layers would else be too small."""

TEXT = "Mayor denies theft\n\nMayor Ada Brook denied it.  Cole Reed accused her of theft.\n\tIt rained."


@pytest.fixture
def document():
    """A predicted document with every label, a resolved name, evidence of every kind and an abstention."""

    def span(words):
        return Span.of(TEXT, TEXT.index(words), TEXT.index(words) + len(words))

    def sentence(words, label, confidence, **more):
        rest = {other: (1 - confidence) / 3 for other in Label if other != label}
        place = span(words)
        return Sentence(place.start, place.end, words, label, confidence, {label: confidence, **rest}, **more)

    brook = Speaker("Ada Brook", "source", ("Mayor", "Ada Brook"), (0, 1))
    reed = Speaker("Cole Reed", "source", ("Cole Reed",), (2,))
    author = Speaker("author", "author", (), (3,))
    sentences = (
        sentence("Mayor denies theft", Label.DENIAL, 0.7, speaker=brook, speaker_confidence=0.6, mention=span("Mayor")),
        sentence(
            "Mayor Ada Brook denied it.",
            Label.DENIAL,
            0.93,
            speaker=brook,
            speaker_confidence=0.88,
            mention=span("Ada Brook"),
            cue=span("denied"),
        ),
        sentence(
            "Cole Reed accused her of theft.",
            Label.ALLEGATION,
            0.81,
            speaker=reed,
            speaker_confidence=0.9,
            mention=span("Cole Reed"),
            cue=span("accused"),
            target=span("Ada Brook"),
        ),
        sentence("It rained.", Label.ASSERTION, 0.4, speaker=author, speaker_confidence=0.5, abstained=True),
    )
    return Document(TEXT, sentences, (brook, reed, author), "mayor")


@pytest.fixture
def articles(document):
    """Two articles in the labelled-set format."""
    rain = {"start": 0, "end": 10, "label": "assertion", "speaker": "author"}
    more = {"start": 11, "end": 15, "label": "none"}
    return [document.to_dict(), {"id": "rain", "text": "It rained. More", "sentences": [rain, more]}]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A classifier of random weights: its labels mean nothing, everything around them is real."""
    folder = tmp_path_factory.mktemp("tiny")
    initialise(read_recipe("configs/smoke.yaml"), folder)
    return StanceClassifier.from_pretrained(folder)


@pytest.fixture(scope="session")
def exported(tiny, tmp_path_factory):
    """The same model as ONNX, in float32 and in int8, with the weights that torch runs."""
    pytest.importorskip("onnxscript", reason="needs the extra export: pip install 'stance[export]'")
    from training.export import trace, write

    folder = tmp_path_factory.mktemp("exported")
    tiny.save_pretrained(folder)
    # Tracing takes longest; quantising changes the graph in place.
    graph = trace(StanceModel.from_pretrained(folder).eval())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.quantization._SMALLEST", SMALLEST)
        for int8 in (False, True):
            write(copy.deepcopy(graph), folder, folder, int8=int8)
    return folder


@pytest.fixture(scope="session")
def windower(tiny):
    """Cuts windows of 96 tokens."""
    return tiny.windower
