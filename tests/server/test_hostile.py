"""Clients that mean ill, or know no better: no crash, no trace, and others are served meanwhile."""

import json
import socket
import threading
import time
from contextlib import suppress

import pytest

BOMB = b'{"text": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"


@pytest.fixture
def still_well(client):
    """After whatever was sent, the server answers."""
    yield client
    assert client.classify("All is well.")["text"] == "All is well."


def raw(client, data, seconds=10):
    """Send bytes as they are, and return what comes back until the server closes or falls silent."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=seconds) as connection:
        connection.sendall(data)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except (TimeoutError, ConnectionResetError):
            pass
        return received


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\x00\xff\xfe",
        b'{"text": "\xff"}',
        b'{"text": "a", "\\ud800": 7}',
        b'{"text": "a", "' + b"k" * 100_000 + b'": 7}',
        b"null",
        b"1e999999",
        b'{"text": "a", "min_confidence": NaN}',
        b'{"text": "a", "min_confidence": 1e400}',
        b'{"text": "a", "min_confidence": ' + b"9" * 100_000 + b"}",
        b'{"text": ' + b"9" * 100_000 + b"}",
        b'{"text": {"a": {"a": {}}}}',
        b'{"text": "a", "text": 7}',
        BOMB,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
    ids=range(16),
)
def test_bad_bodies_are_a_4xx_in_words(still_well, body):
    reply = still_well.post(body)
    assert 400 <= reply.status < 500
    problem = json.loads(reply.content)["detail"]
    assert isinstance(problem, str)
    assert len(reply.content) < 1000
    assert b"Traceback" not in reply.content


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"],
)
def test_other_types_of_content_are_a_415(still_well, kind):
    assert still_well.post(b'{"text": "So."}', Content_Type=kind).status == 415


def test_compressed_bodies_are_a_415(still_well):
    assert still_well.post(b"\x1f\x8b" + b"\0" * 100, Content_Encoding="gzip").status == 415


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 20_000,
        "<a " + 'x="1" ' * 20_000 + ">",
        "<" * 20_000,
        "&amp;" * 20_000,
        "<!--" * 20_000,
        "\0\ud800" * 1000,
        "<!DOCTYPE a [<!ENTITY b '" + "b" * 1000 + "'><!ENTITY c '" + "&b;" * 1000 + "'>]><p>" + "&c;" * 1000 + "</p>",
    ],
    ids=["depth", "attributes", "brackets", "entities", "comments", "surrogates", "entity bomb"],
)
def test_pages_that_are_bombs_are_answered(still_well, page):
    pytest.importorskip("trafilatura", reason="the extra html is not installed")
    reply = still_well.post({"text": page, "format": "html"})
    assert reply.status == 200
    assert len(reply.content) < 1_000_000


def test_a_page_that_is_made_to_be_slow_is_a_503_and_holds_up_no_text(serve):
    pytest.importorskip("trafilatura", reason="the extra html is not installed")
    with serve(timeout=2) as client:
        reply = client.post({"text": "<p>He said so.</p>" * 50_000, "format": "html"})
        assert reply.status == 503
        assert int(reply.getheader("Retry-After")) >= 1
        assert client.classify("So.")["text"] == "So."


def test_other_methods_are_a_405(still_well):
    for method in ("GET", "PUT", "DELETE", "TRACE", "OPTIONS", "BREW"):
        reply = still_well.ask(method, "/v1/classify")
        assert reply.status == 405
        assert reply.getheader("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"]
)
def test_only_the_pages_own_files_are_served(still_well, path):
    reply = still_well.ask("GET", path)
    assert reply.status == 404
    assert b"import" not in reply.content


def test_a_body_that_claims_to_be_small_is_cut_off(still_well):
    chunks = b"".join(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" for _ in range(20)) + b"0\r\n\r\n"
    head = b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    received = raw(still_well, head + chunks, 5)
    assert received.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX\x00Y: z\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nabcdefg",
        b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=range(13),
)
def test_abuse_of_heads_ends_in_a_4xx_or_a_closed_connection(still_well, head):
    received = raw(still_well, head, 1)
    assert not received or received.startswith(b"HTTP/1.1 4")
    assert b"Traceback" not in received


@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTT",
        b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
        b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTT",
    ],
    ids=["head", "body", "refused body", "second head"],
)
def test_who_dribbles_is_cut_off_and_does_not_hold_up_others(serve, start):
    with serve(read_timeout=1) as client:
        with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
            connection.sendall(start)
            begin = time.monotonic()
            closed = threading.Event()

            def dribble():
                with suppress(OSError):
                    while not closed.wait(0.1):
                        connection.sendall(b"x")

            thread = threading.Thread(target=dribble)
            thread.start()
            assert client.classify("All is well.")
            received = b""
            try:
                while part := connection.recv(4096):
                    received += part
            except ConnectionResetError:
                pass
            closed.set()
            thread.join()
        assert time.monotonic() - begin < 20
        assert b"200 OK" not in received or start.startswith(b"GET /healthz")
        assert client.classify("All is well.")


def test_who_does_not_take_the_reply_is_dropped(serve):
    text = "It rained on the whole coast for days and days. " * 4000
    body = json.dumps({"text": text, "also": ["html", "csv"]}).encode()
    head = b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with serve(read_timeout=1) as client, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", client.port))
        deaf.sendall(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        end = time.monotonic() + 40
        while not client.server.server_state.connections:
            time.sleep(0.01)
        while client.server.server_state.connections:
            assert time.monotonic() < end
            time.sleep(0.2)


def test_connections_too_many_are_turned_away_like_requests(serve):
    with serve(requests=1, read_timeout=60) as client:
        held = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(4)]
        time.sleep(0.3)
        for _ in range(5):  # a large body, too, is read before it is refused
            assert client.post({"text": "x" * 900_000}).status == 503
        reply = client.ask("GET", "/healthz")
        assert reply.status == 503
        assert int(reply.getheader("Retry-After")) >= 1
        assert reply.getheader("X-Content-Type-Options") == "nosniff"
        assert "connections" in json.loads(reply.content)["detail"]
        for connection in held:
            connection.close()


def test_too_many_requests_at_once_are_a_503_and_pass(serve):
    head = b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    with serve(requests=5, read_timeout=60) as client:
        held = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(5)]
        for connection in held:
            connection.sendall(head)
        time.sleep(0.5)
        reply = client.post({"text": "So."})
        assert reply.status == 503
        assert int(reply.getheader("Retry-After")) >= 1
        assert client.ask("GET", "/healthz").status == 200
        for connection in held:
            connection.close()
        end = time.monotonic() + 20
        while client.post({"text": "So."}).status != 200:
            assert time.monotonic() < end
            time.sleep(0.1)


@pytest.mark.slow
def test_schemathesis_finds_nothing_against_the_description(still_well):
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from hypothesis import HealthCheck, given, settings

    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{still_well.port}/openapi.json")
    for operation in schema.get_all_operations():
        case = operation.ok().as_strategy()

        @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=case)
        def check(case):
            case.call_and_validate()

        check()
