"""What fuzzing has found stays fixed, and whatever is broken gets the reader's own error."""

import json

import pytest

from fuzz.targets import TARGETS

BROKEN = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"null",
    b"1e999",
    b'{"a": NaN}',
    b"[" * 20_000,
    b'{"text": "a", "sentences": [{"start": 0, "end": 1' + b"0" * 5000 + b"}]}",
    b"&a [*a, *a]",
    b"!!python/object/apply:os.system [exit]",
    b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]",
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_broken_input_gets_the_readers_own_error(target, content):
    TARGETS[target](content)


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.5, "x", [], {}, [[]], {"start": 0, "end": 1}, {"start": {}, "end": []}]
)
@pytest.mark.parametrize(
    "key", ["label", "speaker", "target", "start", "end", "scores", "confidence", "cue", "abstained"]
)
def test_any_value_in_any_place_of_a_sentence_is_read_or_refused(key, value):
    sentence = {
        "start": 0,
        "end": 3,
        "label": "allegation",
        "speaker": {"name": "Ann", "mention": {"start": 0, "end": 3}},
    }
    article = {"id": "a", "text": "Ann said so.", "sentences": [sentence | {key: value}]}
    TARGETS["labelled"](json.dumps(article).encode())
    article["sentences"][0] = sentence | {"speaker": sentence["speaker"] | {key: value, "name": value}}
    TARGETS["labelled"](json.dumps(article).encode())
