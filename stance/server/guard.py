"""What stands before the application: who may ask, how much, how fast; and what every reply bears."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import socket
import time
import traceback
from collections.abc import MutableMapping
from typing import Any

import h11
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from stance.server.metrics import Metrics
from stance.server.options import Options

_LOG = logging.getLogger("stance.server")
_GUARDED = ("/v1/", "/metrics")
"""What needs the token, if there is one."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class _RefusedError(Exception):
    """A request that does not reach the application."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


class Guard:
    """Wraps the application: checks host, token, type and size of a request, and secures every reply.

    Bodies are read here, whole and against the clock, so that the application never waits for a client.

    Args:
        app: The application.
        options: The limits.
        metrics: Counts the replies.

    """

    def __init__(self, app: ASGIApp, options: Options, metrics: Metrics) -> None:
        self._app = app
        self._options = options
        self._metrics = metrics
        self._busy = 0
        self._hosts = [host.lower() for host in options.allowed_hosts()]
        token = options.token()
        self._bearer = None if token is None else f"Bearer {token}".encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request on a connection too many."""
        crowded = _RefusedError(503, "too many connections; try again soon", {"Retry-After": "1"})
        await self._answer(scope, receive, send, crowded)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, refusal: _RefusedError | None = None) -> None:
        reply = _Reply(scope, send)
        work = scope["method"] == "POST" and refusal is None
        self._busy += work
        try:
            body = await self._read(receive, refusal or self._refusal(scope))
            await self._app(scope, _replay(body, receive), reply)
        except _RefusedError as refused:
            await reply.refuse(refused)
        except asyncio.CancelledError:  # the server was told to stop, and its grace is over
            await reply.refuse(_RefusedError(503, "the server stops; try again later", {"Retry-After": "5"}))
        except Exception as error:
            # No message: it could quote a text.
            _LOG.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            await reply.refuse(_RefusedError(500, "the server failed at this request; its log says where"))
        finally:
            self._busy -= work
            self._count(scope, reply)

    def _refusal(self, scope: Scope) -> _RefusedError | None:
        """Tell from the head of a request why it is refused, if it is."""
        headers, post = Headers(scope=scope), scope["method"] == "POST"
        host = headers.get("host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        given = headers.get("authorization", "").encode("utf-8", "replace")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if self._hosts and name not in self._hosts:
            return _RefusedError(400, "this host name is not served; see --allow-host")
        if self._bearer and scope["path"].startswith(_GUARDED) and not hmac.compare_digest(given, self._bearer):
            asked = {"WWW-Authenticate": "Bearer"}
            return _RefusedError(401, "this server asks for a token: Authorization: Bearer …", asked)
        if post and self._busy > self._options.requests:
            return _RefusedError(503, "too many requests at once; try again soon", {"Retry-After": "1"})
        if post and kind != "application/json":
            return _RefusedError(415, "the body must be JSON, with Content-Type: application/json")
        if post and headers.get("content-encoding", "identity").lower() != "identity":
            return _RefusedError(415, "the body must not be compressed")
        return None

    async def _read(self, receive: Receive, refusal: _RefusedError | None) -> bytes:
        """Read the body. One that is refused is read too and thrown away: else its sender might not see the reply."""
        body, deadline = bytearray(), asyncio.get_running_loop().time() + self._options.read_timeout
        more = True
        while more:
            try:
                left = deadline - asyncio.get_running_loop().time()
                message = await asyncio.wait_for(receive(), max(left, 0))
            except asyncio.TimeoutError:
                late = f"the request did not arrive within {self._options.read_timeout:g} seconds"
                raise refusal or _RefusedError(408, late) from None
            if message["type"] == "http.disconnect":
                raise refusal or _RefusedError(400, "the body did not arrive")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._options.max_bytes:
                refusal = refusal or _RefusedError(413, f"the body has more than {self._options.max_bytes} bytes")
            if refusal:
                body.clear()
        if refusal:
            raise refusal
        return bytes(body)

    def _count(self, scope: Scope, reply: _Reply) -> None:
        # The route and not the path: a path may hold anything.
        path = getattr(scope.get("route"), "path", "other")
        known = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
        self._metrics.requests.labels(path, known, str(reply.status)).inc()
        self._metrics.seconds.labels(path).observe(reply.seconds())
        _LOG.info("%s %s %d %.3fs", known, path, reply.status, reply.seconds())


class _Reply:
    """Sends a reply with the headers that every one bears, and remembers its status."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._path = scope["path"]
        self._send = send
        self._start = time.monotonic()
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers["Cache-Control"] = "no-store" if self._path.startswith("/v1/") else "no-cache"
        await self._send(message)

    async def refuse(self, refused: _RefusedError) -> None:
        """Send an error, unless a reply has begun."""
        if self.status:
            return
        body = json.dumps({"detail": refused.detail}).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refused.headers}
        headers["Connection"] = "close"
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self({"type": "http.response.start", "status": refused.status, "headers": raw})
        await self({"type": "http.response.body", "body": body})

    def seconds(self) -> float:
        """Tell how long ago the request began."""
        return time.monotonic() - self._start


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the application a body that was read, and after it what the client does next."""
    first: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return first.pop() if first else await receive()

    return replayed


def _drop_who_takes_nothing(transport: asyncio.Transport, seconds: float) -> None:
    """Have the system end a connection whose client takes nothing of a reply; closing it would wait for the client."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux
        own = transport.get_extra_info("socket")
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * seconds))


def patient_protocol(seconds: float, most: int, turn_away: ASGIApp) -> type[H11Protocol]:
    """Make the HTTP protocol of a server that closes connections on which nothing moves.

    Args:
        seconds: The time for a head, from the start of the connection or the end of the reply before, and for a client
            that takes nothing of a reply.
        most: How many connections are served.
        turn_away: The application for those beyond.

    """

    class PatientProtocol(H11Protocol):
        """Uvicorn's protocol with a deadline for heads; its own ends with the first byte."""

        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            # The guard logs, by route: a path may hold anything.
            self.access_log = False
            if len(self.connections) > most:
                self.app = turn_away
            _drop_who_takes_nothing(transport, seconds)
            self._wait_for_head()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self._deadline:
                self._deadline.cancel()

        def _wait_for_head(self) -> None:
            if self._deadline:
                self._deadline.cancel()
            self._deadline = self.loop.call_later(seconds, self._give_up)

        def _give_up(self) -> None:
            # Nothing has begun, or a reply is out while its request still trickles in.
            if self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE:
                self.transport.close()

    return PatientProtocol
