"""The application: its routes, what they take and what they give."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
import uvicorn
from anyio import to_process
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

import stance
from stance import markup, palette
from stance.classifier import StanceClassifier
from stance.document import Document
from stance.integrations import sheets
from stance.server.batching import Batcher, Job, QueueFullError
from stance.server.guard import Guard, patient_protocol
from stance.server.metrics import Metrics
from stance.server.options import Options
from stance.webpages import article_text

STATIC = Path(__file__).parent / "static"
LINES = "application/x-ndjson"
_TICK = 0.2
_FAILED = "the server failed at this text; its log says where"
_LONGEST_HEAD = 32_768
_CONNECTIONS = 4
"""Open connections for each request that may be worked on: browsers keep several."""
_LONGEST_DETAIL = 500


def _one_or_many(value: object) -> str:
    return "many" if isinstance(value, list) else "one"


class ClassifyRequest(BaseModel):
    """One text or a list of them, and what shall come back."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[
        Annotated[str, Tag("one")] | Annotated[list[str], Tag("many")],
        Discriminator(_one_or_many),
        Field(description="An article, or a list of articles."),
    ]
    format: Annotated[
        Literal["text", "html"], Field(description="`html`: texts are web pages, of which the main text is taken.")
    ] = "text"
    min_confidence: Annotated[
        float | None, Field(ge=0, le=1, description="Sentences that are less sure get `abstained`.")
    ] = None
    also: Annotated[
        list[Literal["html", "csv"]],
        Field(max_length=2, description="Further keys of each document: the marked article, and a table."),
    ] = []


class Problem(BaseModel):
    """What is wrong with a request."""

    detail: str


class Health(BaseModel):
    """Whether the server works."""

    status: str


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": about}
    for code, about in {
        400: "a body that is no UTF-8 or did not arrive, or a host that is not served",
        401: "no token, or the wrong one",
        408: "the request arrived too slowly",
        413: "the body is too large",
        415: "the body is no JSON, or compressed",
        422: "the body is no JSON, or has not the right form",
        429: "too many texts wait; try again after Retry-After seconds",
        500: "the server failed",
        503: "too much at once, not answered in time, or about to stop; try again after Retry-After seconds",
    }.items()
}
_DOCUMENT = {"type": "object", "description": "A line of a labelled set: `text`, `sentences` with labels, and more."}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A document for a text, a list of documents for a list; or lines, the last one with `result`.",
        "content": {
            "application/json": {"schema": {"anyOf": [_DOCUMENT, {"type": "array", "items": _DOCUMENT}]}},
            LINES: {"schema": {"type": "string"}},
        },
    }
}


def create_app(classifier: StanceClassifier, options: Options) -> Guard:
    """Build the application around a classifier.

    Args:
        classifier: The classifier; only the server may use it from now on.
        options: Limits and access.

    Returns:
        An ASGI application; its lifespan starts and stops the thread of the classifier.

    """
    # It logs what it cannot parse.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    metrics = Metrics(lambda: len(batcher))
    batcher = Batcher(classifier, options.queue, metrics.step)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        batcher.start()
        yield
        await run_in_threadpool(batcher.close)

    app = FastAPI(
        title="Stance",
        version=stance.__version__,
        description="Who asserts, denies or alleges what in a news article.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_exception_handler(RequestValidationError, _explain)
    app.add_exception_handler(Exception, _admit)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _add_pages(app)
    _add_status(app, batcher, metrics)
    _add_classify(app, batcher, metrics, options)
    return Guard(app, options, metrics)


def create_server(classifier: StanceClassifier, options: Options) -> uvicorn.Server:
    """Build the HTTP server of the application.

    Args:
        classifier: The classifier; only the server may use it from now on.
        options: Where to listen, limits and access.

    Returns:
        A server to ``run``; told to stop, it finishes what it took.

    """
    app = create_app(classifier, options)
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        http=patient_protocol(options.read_timeout, _CONNECTIONS * options.requests, app.turn_away),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=options.grace,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
    )
    return uvicorn.Server(config)


def _add_pages(app: FastAPI) -> None:
    style = palette.stylesheet(":root") + markup.rules()

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(STATIC / "docs.html")

    @app.get("/stance.css", include_in_schema=False)
    async def stylesheet() -> Response:
        return Response(style, media_type="text/css")


def _add_status(app: FastAPI, batcher: Batcher, metrics: Metrics) -> None:
    @app.get("/healthz", summary="Is the process alive?")
    async def healthz() -> Health:
        return Health(status="alive")

    @app.get("/readyz", summary="Are texts taken?", responses={503: _PROBLEMS[503]})
    async def readyz() -> Health:
        if not batcher.ready:
            raise HTTPException(503, "the server does not take texts", {"Retry-After": "5"})
        return Health(status="ready")

    @app.get("/metrics", summary="Figures for Prometheus", response_class=Response, responses={401: _PROBLEMS[401]})
    async def figures() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_classify(app: FastAPI, batcher: Batcher, metrics: Metrics, options: Options) -> None:
    @app.post("/v1/classify", summary="Label every sentence", responses=_ANSWER | _PROBLEMS)
    async def classify(body: ClassifyRequest, request: Request) -> Response:
        texts = [body.text] if isinstance(body.text, str) else body.text
        if len(texts) > options.max_texts:
            raise HTTPException(422, f"a request may have {options.max_texts} texts, this one has {len(texts)}")
        if body.format == "html":
            texts = await _main_texts(texts, options.timeout)
        try:
            jobs = batcher.submit(texts, body.min_confidence)
        except QueueFullError:
            raise HTTPException(429, "too many texts wait; try again soon", {"Retry-After": "1"}) from None
        metrics.texts.inc(len(texts))
        metrics.characters.inc(sum(map(len, texts)))
        if LINES in request.headers.get("accept", ""):
            return StreamingResponse(_lines(jobs, body, options.timeout), media_type=LINES)
        documents = await _wait(jobs, request, options.timeout)
        return _json(await run_in_threadpool(_result, documents, body))


async def _main_texts(pages: Sequence[str], seconds: float) -> list[str]:
    """Take the articles out of web pages, in a process that ends where one was made to take for ever."""
    try:
        with anyio.fail_after(seconds):
            return [await _main_text(page) for page in pages]
    except TimeoutError:
        raise HTTPException(503, _too_slow(seconds), {"Retry-After": "5"}) from None


async def _main_text(page: str) -> str:
    """Take the article out of a web page; one without an article is an empty text, and no fault of its neighbours."""
    try:
        return await to_process.run_sync(article_text, page, cancellable=True)
    except ModuleNotFoundError as error:
        raise HTTPException(422, str(error)) from None
    except (ValueError, anyio.BrokenWorkerProcess):
        return ""


async def _wait(jobs: Sequence[Job], request: Request, seconds: float) -> list[Document]:
    """Wait for the documents, for the client to leave, or for the time to be up."""
    gone = asyncio.ensure_future(request.receive())
    with _answer(jobs) as answer:
        either: set[asyncio.Future[Any]] = {answer, gone}
        done, _ = await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if answer not in done:
            raise HTTPException(503, _too_slow(seconds), {"Retry-After": "5"})
        if answer.exception():
            raise HTTPException(500, _FAILED)
        return answer.result()


async def _lines(jobs: Sequence[Job], body: ClassifyRequest, seconds: float) -> AsyncIterator[str]:
    """Tell the progress while there is any, and at last the result, or what went wrong."""
    end = asyncio.get_running_loop().time() + seconds
    with _answer(jobs) as answer:
        while not answer.done() and asyncio.get_running_loop().time() < end:
            yield json.dumps({"progress": sum(job.progress for job in jobs) / len(jobs)}) + "\n"
            await asyncio.wait({answer}, timeout=_TICK)
        if not answer.done():
            yield json.dumps({"detail": _too_slow(seconds)}) + "\n"
        elif answer.exception():
            yield json.dumps({"detail": _FAILED}) + "\n"
        else:
            yield json.dumps({"result": await run_in_threadpool(_result, answer.result(), body)}) + "\n"


@contextmanager
def _answer(jobs: Sequence[Job]) -> Iterator[asyncio.Future[list[Document]]]:
    """Gather the documents of jobs; whoever leaves the block, for whatever reason, takes the texts out of the queue."""
    answer = asyncio.gather(*(asyncio.wrap_future(job.future) for job in jobs))
    # Of what nobody waits for any more, asyncio would log that nobody has looked at it.
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        yield answer
    finally:
        answer.cancel()


def _result(documents: Sequence[Document], body: ClassifyRequest) -> dict[str, Any] | list[dict[str, Any]]:
    """Turn documents into what was asked for: one, or a list."""
    out = []
    for document in documents:
        line = document.to_dict()
        if "html" in body.also:
            line["html"] = markup.to_fragment(document)
        if "csv" in body.also:
            line["csv"] = _sheet(document)
        out.append(line)
    return out[0] if isinstance(body.text, str) else out


def _sheet(document: Document) -> str:
    out = io.StringIO()
    sheets.write_rows([document], out)
    return out.getvalue()


def _json(content: object, status: int = 200) -> Response:
    """Answer in ASCII: a text may have a lone surrogate, which has no UTF-8 form."""
    return Response(json.dumps(content), status, media_type="application/json")


def _too_slow(seconds: float) -> str:
    return f"not done within {seconds:g} seconds; send less text, or try again later"


async def _explain(_: Request, error: Exception) -> Response:
    """Say what is wrong with a body, and do not send it back."""
    assert isinstance(error, RequestValidationError)
    found = [f"{_place(problem['loc'])}: {problem['msg']}" for problem in error.errors()[:3]]
    return _json({"detail": "; ".join(found)[:_LONGEST_DETAIL]}, 422)


async def _admit(_: Request, error: Exception) -> Response:
    """Admit a failure; the guard logs where it was."""
    return _json({"detail": f"the server failed with {type(error).__name__}; its log says where"}, 500)


def _place(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location if part not in ("one", "many")) or "body"
