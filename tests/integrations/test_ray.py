"""A Ray data set comes out whole, with the documents that a classifier gives."""

import json

import numpy as np
import pytest

from stance.integrations.ray import Classify, classify_dataset

ROWS = [{"number": number, "body": f"Mayor Ada Roy denied claim {number}. It rained."} for number in range(50)]


def test_a_batch_gets_a_document_a_row(tiny):
    texts = np.array([row["body"] for row in ROWS[:3]], dtype=object)
    out = Classify("body", str(tiny.folder))({"body": texts})
    assert [json.loads(line)["text"] for line in out["document"]] == texts.tolist()


def test_a_missing_column_is_named(tiny):
    with pytest.raises(ValueError, match="no column 'text'; the columns are body"):
        Classify(model=str(tiny.folder))({"body": np.array(["One."], dtype=object)})


@pytest.mark.slow
def test_a_data_set_is_classified_on_a_cluster(tiny):
    ray = pytest.importorskip("ray", reason="needs the extra ray: pip install 'stance[ray]'")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        out = classify_dataset(ray.data.from_items(ROWS), text_column="body", model=str(tiny.folder), actors=1)
        documents = {row["number"]: json.loads(row["document"]) for row in out.take_all()}
    finally:
        ray.shutdown()
    assert {number: document["text"] for number, document in documents.items()} == {
        row["number"]: row["body"] for row in ROWS
    }
