"""Label Studio: what is written comes back, and what annotators do to it is understood."""

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given

from stance.integrations.label_studio import from_task, interface, read, to_task, write
from stance.labelled import LabelledSetError
from stance.palette import MARKS
from tests.strategies import articles


def annotated(task, **more):
    """Accept a task's pre-annotation unchanged, as an annotator does with one click."""
    return {**task, "annotations": [{"result": task["predictions"][0]["result"], **more}]}


@pytest.fixture
def task(document):
    return annotated(to_task(document.to_dict()))


def regions(task, **wanted):
    result = task["annotations"][0]["result"]
    return [one for one in result if all(one.get(key) == value for key, value in wanted.items())]


@given(articles())
def test_what_is_accepted_comes_back(article):
    task = json.loads(json.dumps(to_task({**article, "fold": 3})))
    assert from_task(annotated(task)) == {**article, "fold": 3}


def test_predictions_come_with_their_confidence(document):
    task = to_task(document.to_dict())
    assert task["predictions"][0]["score"] == pytest.approx(0.71)
    assert [one["score"] for one in task["predictions"][0]["result"] if "score" in one] == [0.7, 0.93, 0.81, 0.4]


def test_the_interface_has_every_control_that_the_tasks_use(task):
    controls = {one.get("name"): one for one in ElementTree.fromstring(interface()).iter()}
    used = {one["from_name"] for one in task["annotations"][0]["result"] if "from_name" in one}
    assert used <= set(controls)
    for one in regions(task, type="labels"):
        assert one["value"]["labels"][0] in [label.get("value") for label in controls[one["from_name"]]]


def test_labels_have_the_colours_that_they_have_everywhere():
    colours = {one.get("value"): one.get("background") for one in ElementTree.fromstring(interface()).iter("Label")}
    assert {label: colours[label] for label in MARKS} == {label: mark.light for label, mark in MARKS.items()}


def test_a_corrected_label_decides_what_belongs_to_the_sentence(task):
    (allegation,) = [one for one in regions(task, from_name="label") if one["value"]["labels"] == ["allegation"]]
    allegation["value"]["labels"] = ["assertion"]
    assert "target" not in from_task(task)["sentences"][2]
    allegation["value"]["labels"] = ["none"]
    assert from_task(task)["sentences"][2].keys() == {"start", "end", "label", "cue"}


def test_a_speaker_typed_anew(task):
    regions(task, id="s3", from_name="speaker")[0]["value"]["text"] = ["Cole Reed", "Cole"]
    assert from_task(task)["sentences"][3]["speaker"] == {"name": "Cole Reed", "mention": None, "also": ["Cole"]}
    regions(task, id="s3", from_name="speaker")[0]["value"]["text"] = "Cole Read"
    with pytest.raises(LabelledSetError, match="'Cole Read' does not stand in the text"):
        from_task(task)


@pytest.mark.parametrize(("typed", "also"), [("author", {}), (["author", "Ada"], {"speaker_also": "Ada"})])
def test_author_typed_beside_a_mention_that_was_left(typed, also):
    text = "Ada said that the authorities knew."
    said = {"name": "Ada", "mention": {"start": 0, "end": 3}}
    sentence = {"start": 0, "end": len(text), "label": "assertion", "speaker": said}
    task = to_task({"id": "a", "text": text, "sentences": [sentence]})
    for one in task["predictions"][0]["result"]:
        if one.get("from_name") == "speaker":
            one["value"]["text"] = typed
    back = from_task({"data": task["data"], "annotations": task["predictions"]})
    assert back["sentences"] == [{"start": 0, "end": len(text), "label": "assertion", "speaker": "author", **also}]
    assert from_task({"data": task["data"], "annotations": to_task(back)["predictions"]}) == back


def test_a_source_called_author_is_refused_since_a_task_has_one_word_for_both():
    said = {"name": "author", "mention": {"start": 4, "end": 10}}
    sentence = {"start": 0, "end": 18, "label": "denial", "speaker": said}
    with pytest.raises(ValueError, match=r"'The author denied\.': a source is called 'author'.*; correct it in brat"):
        to_task({"id": "a", "text": "The author denied.", "sentences": [sentence]})


def test_more_names_than_one_beside_the_author_are_refused():
    sentence = {"start": 0, "end": 11, "label": "assertion", "speaker": "author"}
    task = to_task({"id": "a", "text": "Ada and Bo.", "sentences": [sentence]})
    task["predictions"][0]["result"][-1]["value"]["text"] = ["author", "Ada", "Bo"]
    with pytest.raises(LabelledSetError, match=r"'Ada and Bo\.': beside author one name may be right too"):
        from_task({"data": task["data"], "annotations": task["predictions"]})


def test_evidence_without_a_link_belongs_to_the_sentence_it_stands_in(task):
    result = task["annotations"][0]["result"]
    result[:] = [one for one in result if one["type"] != "relation" or one["to_id"] == "s2-target"]
    sentence = from_task(task)["sentences"][2]
    assert (sentence["speaker"]["mention"], sentence["cue"]) == ({"start": 48, "end": 57}, {"start": 58, "end": 65})
    result[:] = [one for one in result if one["type"] != "relation"]
    regions(task, id="s2-target")[0]["value"].update(start=46, end=48, text="  ")
    with pytest.raises(LabelledSetError, match="the target '  ' is linked with no sentence"):
        from_task(task)
    regions(task, id="s2-target")[0]["value"].update(start=48, end=52, text="Cole", labels=["mention"])
    with pytest.raises(LabelledSetError, match=r"sentence 'Cole Reed accused her of theft\.': has two mentions"):
        from_task(task)


def test_offsets_in_utf16_are_recognised_by_the_words():
    text = "🙂 Ada denied it."
    value = {"start": 3, "end": 17, "text": "Ada denied it.", "labels": ["denial"]}
    speaker = {"id": "a", "type": "textarea", "from_name": "speaker", "value": {"text": ["Ada"]}}
    region = {"id": "a", "type": "labels", "from_name": "label", "value": value}
    task = {"data": {"text": text}, "annotations": [{"result": [region, speaker]}]}
    assert from_task(task)["sentences"][0]["start"] == 2
    value["text"] = "Cole denied it."
    with pytest.raises(LabelledSetError, match=r"'Cole denied it\.' was marked at 3–17"):
        from_task(task)


def test_skipped_tasks_are_left_out_with_a_warning(tmp_path, document):
    path = tmp_path / "tasks.json"
    write(path, [document.to_dict()])
    assert ElementTree.parse(path.with_suffix(".xml")).getroot().tag == "View"
    (task,) = json.loads(path.read_text(encoding="utf-8"))
    skipped = annotated(task, was_cancelled=True)
    path.write_text(json.dumps([task, annotated(task), skipped]), encoding="utf-8")
    with pytest.warns(UserWarning, match="2 of 3 tasks have no finished annotation"):
        assert [article["id"] for article in read(path)] == ["mayor"]


@pytest.mark.parametrize("name", ["tasks.xml", "tasks.XML"])
def test_tasks_that_their_interface_would_overwrite_are_refused(tmp_path, document, name):
    with pytest.raises(ValueError, match=r"the labelling interface would overwrite the tasks; name them \.json"):
        write(tmp_path / name, [document.to_dict()])
    assert list(tmp_path.iterdir()) == []


def test_ground_truth_comes_before_the_last_annotation(task):
    first = task["annotations"][0]
    task["annotations"] = [{**first, "ground_truth": True}, {"result": []}]
    assert len(from_task(task)["sentences"]) == 4
    task["annotations"] = [first, {"result": []}]
    assert from_task(task)["sentences"] == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "broken JSON"),
        ("{}", "export the project as JSON"),
        ('[{"id": 4, "annotations": [{"result": [{}]}], "data": {"text": "So."}}]', "task 4: not a task"),
        ('[{"id": 4, "annotations": [{}], "data": {}}]', "task 4: not a task"),
        ('[{"annotations": 7, "data": {}}]', "task 1: not a task"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path, content, message):
    path = tmp_path / "export.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LabelledSetError, match=message):
        list(read(path))
