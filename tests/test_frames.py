"""Data frames and datasets: ids, index and order stay, and a table has the same types whatever it holds."""

import pandas as pd
import pytest

from stance.document import Document
from stance.frames import COLUMNS, classify_batch, classify_frame, to_frame

TEXTS = ["Ada denied it. It rained.", "", "So."]


@pytest.fixture
def frame():
    return pd.DataFrame({"url": [30, 10, 20], "body": TEXTS}, index=["x", "y", "z"])


def test_a_frame_keeps_ids_and_index(frame, tiny):
    out = classify_frame(frame, text="body", id="url", classifier=tiny)
    assert list(out.index) == ["x", "x", "z"]
    assert list(out["id"]) == [30, 30, 20]
    assert list(out["text"]) == ["Ada denied it.", "It rained.", "So."]
    assert list(out["sentence"]) == [0, 1, 0]
    assert list(frame.join(out).index) == ["x", "x", "y", "z"]


def test_a_repeated_index_and_no_ids(frame, tiny):
    frame.index = [0, 0, 0]
    out = classify_frame(frame, text="body", classifier=tiny)
    assert list(out.index) == [0, 0, 0]
    assert out["id"].isna().all()


def test_rows_without_text_are_named(frame, tiny):
    frame.loc["y", "body"] = None
    with pytest.raises(TypeError, match=r"row 1: 'body' holds .*no string; leave such rows out"):
        classify_frame(frame, text="body", classifier=tiny)
    with pytest.raises(KeyError, match="text"):
        classify_frame(frame, classifier=tiny)


def test_types_do_not_depend_on_what_is_there(document):
    types = {name: str(kind) for name, kind in to_frame([]).dtypes.items()}
    assert types == dict(COLUMNS)
    assert types == {name: str(kind) for name, kind in to_frame([document, document]).dtypes.items()}


def test_evidence_has_its_place(document):
    for row in to_frame([document]).dropna(subset="mention").itertuples():
        assert document.text.startswith(row.mention, row.mention_start)


def test_lone_surrogates_are_replaced_one_for_one(tiny):
    text = "Ada \ud800 denied \udfff it."
    doc = Document.from_dict(
        {
            "id": "\ud800",
            "text": text,
            "sentences": [{"start": 0, "end": len(text), "label": "denial", "speaker": {"name": "Ada \ud800"}}],
        }
    )
    row = doc.to_frame().iloc[0]
    assert (row["id"], row["speaker"], row["text"]) == ("\ufffd", "Ada \ufffd", "Ada \ufffd denied \ufffd it.")
    assert row["end"] == len(row["text"])
    (whole,) = classify_frame(pd.DataFrame({"text": [text]}, dtype=object), classifier=tiny)["text"]
    assert whole == row["text"] == classify_batch({"text": [text]}, classifier=tiny)["stance"][0][0]["text"]


def test_a_dataset_keeps_its_rows(tiny):
    datasets = pytest.importorskip("datasets")
    articles = datasets.Dataset.from_dict({"url": ["a", "b", "c"], "body": TEXTS})
    settings = {"text": "body", "classifier": tiny}
    out = articles.map(classify_batch, batched=True, batch_size=1, fn_kwargs=settings, load_from_cache_file=False)
    assert out["url"] == ["a", "b", "c"]
    assert [[one["text"] for one in row] for row in out["stance"]] == [["Ada denied it.", "It rained."], [], ["So."]]
    assert set(out[0]["stance"][0]) == set(COLUMNS) - {"id"}


def test_every_batch_has_the_same_types(tiny):
    (one,) = classify_batch({"text": ["It rained."]}, classifier=tiny)["stance"][0]
    kinds = {"string": str, "int64": int, "Int64": int, "float64": float, "bool": bool}
    assert {name: type(value) for name, value in one.items()} == {
        name: kinds[kind] for name, kind in COLUMNS.items() if name != "id"
    }


def test_min_confidence_marks_in_frames_and_datasets(frame, tiny):
    for least in (None, 1.0):
        table = classify_frame(frame, text="body", classifier=tiny, min_confidence=least)
        batch = classify_batch({"text": TEXTS}, classifier=tiny, min_confidence=least)["stance"]
        assert set(table["abstained"]) == {one["abstained"] for row in batch for one in row} == {least is not None}
