"""Many callers, one classifier: shared steps, turns, order, and nothing lost at the end."""

import threading
import time

import pytest

from stance.server.batching import Batcher, QueueFullError


@pytest.fixture
def steps():
    return []


@pytest.fixture
def batcher(classifier, steps):
    batcher = Batcher(classifier, 100, lambda windows, texts: steps.append((windows, texts)))
    batcher.start()
    yield batcher
    classifier.gate.set()
    batcher.close()


def held(batcher, classifier):
    """Have the thread wait inside a step, so that what comes next queues up."""
    classifier.gate.clear()
    (job,) = batcher.submit(["Hold on."], None)
    while not job.prepared:
        time.sleep(0.001)
    return job


def test_each_text_gets_its_own_document(batcher):
    texts = [f"Ann{n} denied it. It rained." for n in range(50)]
    jobs = batcher.submit(texts, None)
    assert [job.future.result(10).text for job in jobs] == texts
    assert [speaker.name for speaker in jobs[7].future.result().speakers] == ["Ann7", "author"]
    assert {job.progress for job in jobs} == {1.0}


def test_small_texts_share_a_step(batcher, classifier, steps):
    held(batcher, classifier)
    jobs = batcher.submit(["So it is."] * 20, None)
    classifier.gate.set()
    [job.future.result(10) for job in jobs]
    assert steps == [(1, 1), (20, 20)]


def test_no_more_texts_are_worked_on_than_there_is_room_for_their_windows(batcher, classifier, monkeypatch, steps):
    monkeypatch.setattr("stance.server.batching._OPEN", 2)
    held(batcher, classifier)
    jobs = batcher.submit(["So it is."] * 5, None)
    classifier.gate.set()
    assert [job.future.result(10).text for job in jobs] == ["So it is."] * 5
    assert steps == [(1, 1), (2, 2), (2, 2), (1, 1)]


def test_a_short_text_does_not_wait_for_a_long_one(batcher, classifier):
    held(batcher, classifier)
    (long,) = batcher.submit(["It rained on the whole coast for days and days. " * 2000], None)
    (short,) = batcher.submit(["So it is."], None)
    classifier.gate.set()
    short.future.result(10)
    assert len(long.future.result(30).sentences) == 2000
    assert ["So it is." in step for step in classifier.steps][:2] == [False, True]


def test_progress_is_the_share_of_windows_that_were_read(batcher, classifier):
    (job,) = batcher.submit([""], None)
    job.future.result(10)
    assert job.progress == 1
    (long,) = batcher.submit(["It rained on the whole coast for days and days. " * 2000], None)
    seen = [long.progress]
    run, classifier.run = classifier.run, lambda windows: seen.append(long.progress) or run(windows)
    assert len(long.future.result(30).sentences) == 2000
    assert seen == sorted(seen)
    assert any(0 < share < 1 for share in seen)


def test_a_text_without_a_sentence_is_a_document(batcher):
    assert [job.future.result(10).sentences for job in batcher.submit(["", " \n"], None)] == [(), ()]


def test_the_queue_takes_all_texts_or_none(batcher, classifier):
    held(batcher, classifier)
    batcher.submit(["So."] * 90, None)
    with pytest.raises(QueueFullError):
        batcher.submit(["So."] * 10, None)
    assert len(batcher) == 91
    batcher.submit(["So."] * 9, None)


def test_cancelled_texts_make_room_and_cost_nothing(batcher, classifier):
    held(batcher, classifier)
    jobs = batcher.submit(["So it is."] * 99, None)
    assert all(job.future.cancel() for job in jobs)
    assert len(batcher) == 1
    (last,) = batcher.submit(["The end."], None)
    classifier.gate.set()
    last.future.result(10)
    assert classifier.steps == [["Hold on."], ["The end."]]


def test_a_failure_hits_its_step_only_and_its_words_are_not_logged(batcher, classifier, caplog):
    (bad,) = batcher.submit(["Secret things explode."], None)
    assert isinstance(bad.future.exception(10), ValueError)
    assert batcher.submit(["All is well."], None)[0].future.result(10).text == "All is well."
    assert "ValueError" in caplog.text
    assert "Secret" not in caplog.text


def test_closing_finishes_what_was_taken_and_takes_no_more(classifier):
    batcher = Batcher(classifier, 100, lambda windows, texts: None)
    batcher.start()
    held(batcher, classifier)
    jobs = batcher.submit(["So it is."] * 30, None)
    threading.Timer(0.1, classifier.gate.set).start()
    batcher.close()
    assert all(job.future.done() for job in jobs)
    assert not batcher.ready
    with pytest.raises(QueueFullError):
        batcher.submit(["Too late."], None)
