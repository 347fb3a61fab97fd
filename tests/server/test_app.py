"""The interface over HTTP: what goes in, what comes out, and what every refusal says."""

import csv
import http.client
import io
import json
import logging
import re
import subprocess
import sys
import threading
import time

import pytest

from stance.document import Document
from stance.frames import COLUMNS
from stance.markup import to_fragment

TEXT = "Ada denied it. Cole accused Ada of theft. It rained. Why?"


def detail(reply):
    assert reply.getheader("Content-Type") == "application/json"
    return json.loads(reply.content)["detail"]


def lines(reply):
    return [json.loads(line) for line in reply.content.splitlines()]


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_text_gives_a_document(client):
    doc = Document.from_dict(client.classify(TEXT))
    assert doc.text == TEXT
    assert [sentence.label.value for sentence in doc.sentences] == ["denial", "allegation", "assertion", "none"]
    assert doc.sentences[1].target.text == "Ada"


def test_a_list_gives_a_list_in_order(client):
    texts = [f"Ann{n} denied it." for n in range(64)]
    assert [line["text"] for line in client.classify(texts)] == texts
    assert client.classify([]) == []
    assert client.classify([TEXT]) == [client.classify(TEXT)]


def test_any_string_is_a_text(client):
    for text in ("", " ", "\ud800 denied it.", "\0\x1b\u2028", "é" * 1000):
        assert client.classify(text, also=["html", "csv"])["text"] == text


def test_min_confidence_marks_what_is_less_sure(client):
    assert client.classify("So.", min_confidence=0.9)["sentences"][0]["abstained"]
    assert not client.classify("So.", min_confidence=0.1)["sentences"][0]["abstained"]


def test_html_and_csv_come_beside_the_json_when_asked_for(client):
    line = client.classify(TEXT, also=["html", "csv"])
    doc = Document.from_dict(line)
    assert line["html"] == to_fragment(doc)
    table = list(csv.reader(io.StringIO(line["csv"], newline="")))
    assert table[0] == list(COLUMNS)
    assert len(table) == 5
    assert client.classify(TEXT) == doc.to_dict()


def test_no_cell_of_the_table_starts_a_formula(client):
    table = csv.DictReader(io.StringIO(client.classify("=1+1 denied it.", also=["csv"])["csv"], newline=""))
    assert [row["text"] for row in table] == ["'=1+1 denied it."]


def test_progress_comes_in_lines_with_the_result_last(client, classifier):
    classifier.gate.clear()
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=30)
    head = {"Content-Type": "application/json", "Accept": "application/x-ndjson"}
    connection.request("POST", "/v1/classify", json.dumps({"text": TEXT}), head)
    reply = connection.getresponse()
    progress = [json.loads(reply.readline()) for _ in range(2)]
    classifier.gate.set()
    *more, last = map(json.loads, reply)
    connection.close()
    assert all(0 <= line["progress"] <= 1 for line in progress + more)
    assert last["result"] == client.classify(TEXT)


def test_progress_ends_with_what_went_wrong(client, classifier):
    assert lines(client.post({"text": "They explode."}, Accept="application/x-ndjson"))[-1] == {
        "detail": "the server failed at this text; its log says where"
    }


def test_web_pages_are_read_for_their_main_text(client):
    pytest.importorskip("trafilatura", reason="the extra html is not installed")
    words = "Ada denied on Tuesday that the harbour money was gone, and she said so twice in the council."
    page = f"<html><body><nav><a href='/'>Menu</a></nav><article>{f'<p>{words}</p>' * 4}</article></body></html>"
    text = client.classify(page, format="html")["text"]
    assert words in text
    assert "Menu" not in text
    assert "<" not in text
    assert [line["text"] for line in client.classify(["<html></html>", page], format="html")] == ["", text]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "body.text: Field required"),
        ({"text": 7}, "body.text: Input should be a valid string"),
        ({"text": ["a", 7]}, "body.text.1: Input should be a valid string"),
        ({"text": "a", "min_confidence": 2}, "body.min_confidence: Input should be less than or equal to 1"),
        ({"text": "a", "also": ["pdf"]}, "body.also.0: Input should be 'html' or 'csv'"),
        ({"text": "a", "colour": "red"}, "body.colour: Extra inputs are not permitted"),
        ({"text": ["a"] * 65}, "a request may have 64 texts, this one has 65"),
        ([], "body: "),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_words(client, body, message):
    reply = client.post(body)
    assert reply.status == 422
    assert message in detail(reply)


def test_a_failure_is_a_500_without_a_trace(client):
    reply = client.post({"text": "Secret things explode."})
    assert reply.status == 500
    assert "Secret" not in reply.content.decode()
    assert "Traceback" not in reply.content.decode()
    assert client.classify("All is well.")


def test_too_large_a_body_is_refused(serve):
    with serve(max_bytes=1000) as client:
        assert client.classify("x" * 900)
        reply = client.post({"text": "x" * 3_000_000})
        assert reply.status == 413
        assert "more than 1000 bytes" in detail(reply)


def test_a_full_queue_is_a_429_and_passes(serve, classifier):
    with serve(queue=4, max_texts=4) as client:
        classifier.gate.clear()
        waiting = threading.Thread(target=client.classify, args=(["One.", "Two."],))
        waiting.start()
        wait_for(lambda: "stance_queue_texts 2.0" in client.ask("GET", "/metrics").content.decode())
        reply = client.post({"text": ["a", "b", "c"]})
        assert reply.status == 429
        assert int(reply.getheader("Retry-After")) >= 1
        classifier.gate.set()
        waiting.join()
        assert len(client.classify(["a", "b", "c"])) == 3


def test_what_takes_too_long_is_a_503_and_leaves_the_queue(serve, classifier):
    with serve(timeout=0.3) as client:
        classifier.gate.clear()
        reply = client.post({"text": "So."})
        assert reply.status == 503
        assert int(reply.getheader("Retry-After")) >= 1
        assert "not done within 0.3 seconds" in detail(reply)
        assert "not done within" in lines(client.post({"text": "So."}, Accept="application/x-ndjson"))[-1]["detail"]
        classifier.gate.set()
        wait_for(lambda: "stance_queue_texts 0.0" in client.ask("GET", "/metrics").content.decode())
        assert client.classify("So.")


def test_a_client_that_leaves_makes_room(client, classifier):
    import socket

    classifier.gate.clear()
    body = b'{"text": "So."}'
    head = f"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        wait_for(lambda: "stance_queue_texts 1.0" in client.ask("GET", "/metrics").content.decode())
    wait_for(lambda: "stance_queue_texts 0.0" in client.ask("GET", "/metrics").content.decode())


def test_a_token_guards_the_interface_and_not_the_page(serve, tmp_path):
    (tmp_path / "token").write_text("open-sesame\n")
    with serve(token_file=str(tmp_path / "token")) as client:
        for authorization in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer ö"}):
            reply = client.post({"text": "So."}, **authorization)
            assert reply.status == 401
            assert reply.getheader("WWW-Authenticate") == "Bearer"
        assert client.post({"text": "So."}, Authorization="Bearer open-sesame").status == 200
        assert client.ask("GET", "/metrics").status == 401
        assert {client.ask("GET", path).status for path in ("/", "/healthz", "/readyz", "/openapi.json")} == {200}


def test_only_its_own_names_reach_a_server_on_loopback(client, serve):
    assert client.ask("GET", "/healthz", Host="localhost:1234").status == 200
    assert client.ask("GET", "/healthz", Host="[::1]").status == 200
    for host in ("evil.example", "evil.example:8000", "", "localhost.evil.example"):
        assert client.ask("GET", "/healthz", Host=host).status == 400
    with serve(allow_host=["news.example"]) as named:
        assert named.ask("GET", "/healthz", Host="News.example:80").status == 200
        assert named.ask("GET", "/healthz", Host="localhost").status == 400


def test_health_and_readiness(client):
    assert json.loads(client.ask("GET", "/healthz").content) == {"status": "alive"}
    assert json.loads(client.ask("GET", "/readyz").content) == {"status": "ready"}


def test_metrics_count_requests_by_route(client):
    client.classify([TEXT, TEXT])
    client.ask("GET", "/secret-path")
    text = client.ask("GET", "/metrics").content.decode()
    assert 'stance_requests_total{method="POST",path="/v1/classify",status="200"} 1.0' in text
    assert "stance_texts_total 2.0" in text
    assert "stance_step_texts_count" in text
    assert "secret-path" not in text


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/stance.css", "/static/app.js", "/healthz", "/nowhere", "/v1/classify"]
)
def test_every_reply_is_secured_and_allows_no_other_site(client, path):
    reply = client.ask("GET", path, Origin="https://evil.example")
    policy = reply.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert reply.getheader("X-Frame-Options") == "DENY"
    assert reply.getheader("Cache-Control") == ("no-store" if path.startswith("/v1/") else "no-cache")
    assert reply.getheader("X-Content-Type-Options") == "nosniff"
    assert reply.getheader("Referrer-Policy") == "no-referrer"
    assert reply.getheader("Access-Control-Allow-Origin") is None
    assert reply.getheader("Server") is None


def test_pages_name_nothing_outside_and_nothing_inline(client):
    for path in ("/", "/docs"):
        page = client.ask("GET", path).content.decode()
        assert not re.search(r"https?://(?!127\.0\.0\.1)|\son\w+=|style=|<style|<script(?! type=\"module\" src)", page)
        for link in re.findall(r'(?:src|href)="([^"#]+)"', page):
            assert client.ask("GET", "/" + link.removeprefix("./")).status == 200, link


def test_the_description_names_every_route(client):
    paths = json.loads(client.ask("GET", "/openapi.json").content)["paths"]
    assert set(paths) == {"/v1/classify", "/healthz", "/readyz", "/metrics"}
    page = client.ask("GET", "/docs").content.decode()
    assert all(path in page for path in paths)


def test_the_sample_is_of_the_seeds(client):
    from stance.labelled import read

    sample = client.ask("GET", "/static/sample.txt").content.decode()
    assert sample.strip() in {article["text"].strip() for article in read("seeds/test.jsonl")}


def test_nothing_of_a_text_is_logged(client, caplog):
    caplog.set_level(logging.DEBUG)
    client.classify("Confidential words.")
    client.post({"text": 7, "Confidential": "words"})
    client.post({"text": "Confidential words explode."})
    client.post(b'{"text": "Confidential')
    client.ask("GET", "/Confidential?Confidential")
    assert "POST /v1/classify 200" in caplog.text
    assert "onfidential" not in caplog.text


def test_told_to_stop_it_finishes_what_it_took(serve, classifier):
    answers = []
    with serve() as client:
        classifier.gate.clear()
        threads = [threading.Thread(target=lambda n=n: answers.append(client.classify(f"Ann{n}."))) for n in range(5)]
        for thread in threads:
            thread.start()
        wait_for(lambda: "stance_queue_texts 5.0" in client.ask("GET", "/metrics").content.decode())
        client.server.should_exit = True
        time.sleep(0.3)
        classifier.gate.set()
        for thread in threads:
            thread.join(10)
        client.thread.join(10)
        assert not client.thread.is_alive()
    assert sorted(answer["text"] for answer in answers) == [f"Ann{n}." for n in range(5)]


def test_what_is_not_done_when_the_grace_is_over_is_cut_off(serve, classifier, monkeypatch):
    run = classifier.run
    monkeypatch.setattr(classifier, "run", lambda windows: time.sleep(0.2) or run(windows))
    replies = []
    with serve(grace=1) as client:
        text = "It rained on the whole coast for days and days. " * 8000  # half a minute of work
        thread = threading.Thread(target=lambda: replies.append(client.post({"text": text})))
        thread.start()
        wait_for(lambda: classifier.steps)
        client.server.should_exit = True
        start = time.monotonic()
        client.thread.join(30)
        assert time.monotonic() - start < 10
        thread.join(10)
    (reply,) = replies
    assert reply.status == 503
    assert int(reply.getheader("Retry-After")) >= 1
    assert "stops" in json.loads(reply.content)["detail"]


def test_a_real_classifier_answers_as_it_does_alone(tiny, serve, document):
    with serve(classifier=tiny) as client:
        answers = client.classify([document.text, "So."])
    assert answers == [doc.to_dict() for doc in tiny.classify([document.text, "So."])]


def test_a_server_imports_neither_torch_nor_transformers():
    pytest.importorskip("stance.server.app", reason="the extra web is not installed")
    code = "import sys, stance.server.app; print({'torch', 'transformers', 'scipy', 'pandas'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_server_whose_model_does_not_work_is_not_ready(classifier):
    pytest.importorskip("stance.server.app", reason="the extra web is not installed")
    from starlette.testclient import TestClient

    from stance.server.app import create_app
    from stance.server.options import Options

    idle = TestClient(create_app(classifier, Options()), base_url="http://localhost")  # not entered: nothing starts
    reply = idle.get("/readyz")
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
    assert idle.get("/healthz").status_code == 200
