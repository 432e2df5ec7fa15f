"""The stand-in's answers: from a request to a response, without sockets."""

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from heapq import merge
from itertools import dropwhile, islice
from typing import Any
from uuid import UUID

from sandbox import world
from sandbox.batch import Batch, Fault
from sandbox.fresh import Fresh, OrderError
from sandbox.page import CONTENT_SECURITY_POLICY, STYLESHEET, page
from sandbox.rows import CREDITORS
from sandbox.tokens import Tokens
from sandbox.wire import FORM, RefusedError, Request, Response, json_response, refused

type Handler = Callable[..., Response]

CLIENT_ID = "sandbox"
LARGEST_PAGE = 100
NEW_GENERATION = {creditor.id for creditor in CREDITORS if creditor.generation == "C"}
UUID_PATTERN = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
HTML_PAGE = b"<!doctype html><title>Maintenance</title><p>We will be back shortly.</p>"


class Sandbox:
    """Amili as a function from request to response, over the invented world and the batches started on request."""

    def __init__(self, clock: Callable[[], datetime], token_lifetime: int, slow_seconds: float) -> None:
        self._clock = clock
        self._tokens = Tokens(token_lifetime)
        self._slow_seconds = slow_seconds
        self._fresh = Fresh()

    def answer(self, request: Request) -> Response:
        """Answers every request, with an error where there is nothing else to say."""
        try:
            response = self._route(request)
        except RefusedError as refusal:
            response = refused(refusal)
        return replace(response, headers={**response.headers, "X-Request-Id": secrets.token_hex(8)})

    def _route(self, request: Request) -> Response:
        for method, path, handler in ROUTES:
            found = path.fullmatch(request.path)
            if found and method == request.method:
                return handler(self, request, **{name: UUID(text) for name, text in found.groupdict().items()})
        raise RefusedError(404)

    def token(self, request: Request) -> Response:
        """Client credentials, form-encoded."""
        form = request.form()
        if request.media_type != FORM or form.get("grant_type") != "client_credentials":
            raise RefusedError(400)
        if form.get("client_id") != CLIENT_ID or not form.get("client_secret"):
            raise RefusedError(401)
        return json_response(200, self._tokens.issue(self._clock()))

    def batch(self, request: Request, batch: UUID, organisation: UUID | None = None) -> Response:
        """One batch. Its misbehaviour comes first, by whichever path it is asked for."""
        self._admit(request, organisation)
        found = self._find(batch)
        fault = found.fault or self._fresh.next_fault(batch)
        if fault and fault != "slow":
            return self._misbehave(found, fault)
        if not _is_shown_to(found, organisation):
            raise RefusedError(404)
        delay = self._slow_seconds if fault else 0
        return Response(200, _envelope(found.data(self._clock())), delay=delay)

    def batches(self, request: Request, organisation: UUID | None = None) -> Response:
        """A page of batches, newest first unless asked otherwise."""
        self._admit(request, organisation)
        size = _page_size(request.query)
        matching = (batch for batch in self._listed(request.query) if _is_shown_to(batch, organisation))
        chosen = list(islice(_after(matching, request.query.get("PageToken")), size + 1))
        next_page = chosen[size - 1].id.hex if len(chosen) > size else None
        data = b"[" + b",".join(batch.data(self._clock()) for batch in chosen[:size]) + b"]"
        return Response(200, _list_envelope(data, next_page, organisation))

    def page(self, request: Request) -> Response:
        """The sandbox's own page, for a person."""
        now = self._clock()
        newest = [*self._fresh.newest_first()[:10], *world.recent(now, 10)]
        html = page(newest, now, started=request.query.get("started", ""))
        policy = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
        return Response(200, html.encode(), "text/html; charset=utf-8", policy)

    def stylesheet(self, _: Request) -> Response:
        """The style of that page."""
        return Response(200, STYLESHEET, "text/css; charset=utf-8")

    def start(self, request: Request) -> Response:
        """Starts a batch: for a program, which sends JSON, and for the form of our page."""
        is_form = request.media_type == FORM
        try:
            batch = self._fresh.start(_form_order(request) if is_form else _json_order(request), self._clock())
        except OrderError as problem:
            raise RefusedError(400, str(problem)) from problem
        if is_form:
            return Response(303, b"", headers={"Location": f"/?started={batch.id}"})
        return json_response(201, {"batchId": str(batch.id), "organizationId": str(batch.creditor.id)})

    def _admit(self, request: Request, organisation: UUID | None) -> None:
        if not self._tokens.accepts(request.headers.get("authorization", ""), self._clock()):
            raise RefusedError(401)
        if organisation == world.FORBIDDEN_ORGANISATION:
            raise RefusedError(403)
        if organisation and organisation not in world.ORGANISATIONS:
            raise RefusedError(404)

    def _find(self, batch_id: UUID) -> Batch:
        found = self._fresh.find(batch_id) or world.find(batch_id, self._clock())
        if not found:
            raise RefusedError(404)
        return found

    def _misbehave(self, batch: Batch, fault: Fault) -> Response:
        match fault:
            case "html":
                return Response(200, HTML_PAGE, "text/html; charset=utf-8")
            case "cut":
                whole = _envelope(batch.data(self._clock()))
                return Response(200, whole[: len(whole) // 2])
            case "another":
                return Response(200, _envelope(world.recent(self._clock(), 1)[0].data(self._clock())))
            case int():
                raise RefusedError(fault)
        raise AssertionError(fault)

    def _listed(self, query: Mapping[str, str]) -> Iterable[Batch]:
        now = self._clock()
        newest_first = merge(self._fresh.newest_first(), world.history(now), key=lambda batch: batch.born, reverse=True)
        ascending = query.get("SortDirection", "").upper().startswith("ASC")
        ordered = reversed(list(newest_first)) if ascending else newest_first
        state, kind = query.get("State"), query.get("Type", "INVOICE")
        return (batch for batch in ordered if state in (None, batch.state(now)) and kind == "INVOICE")


def _is_shown_to(batch: Batch, organisation: UUID | None) -> bool:
    """The path without an organisation is the old one, and knows the organisations of the old generation only."""
    return batch.creditor.id == organisation if organisation else batch.creditor.generation == "A"


def _after(batches: Iterable[Batch], token: str | None) -> Iterable[Batch]:
    """What follows the batch that the token names, the last of the page before."""
    if token is None:
        return batches
    try:
        last = UUID(token)
    except ValueError as problem:
        raise RefusedError(400, "PageToken is not one of ours") from problem
    return islice(dropwhile(lambda batch: batch.id != last, batches), 1, None)


def _page_size(query: Mapping[str, str]) -> int:
    wanted = query.get("PageSize", "20")
    if not wanted.isdecimal() or int(wanted) < 1:
        raise RefusedError(400, "PageSize must be a positive number")
    return min(int(wanted), LARGEST_PAGE)


def _envelope(data: bytes) -> bytes:
    return b'{"summary":{"status":"SUCCESS"},"data":%b}' % data


def _list_envelope(data: bytes, next_page: str | None, organisation: UUID | None) -> bytes:
    """Generation A says the summary first, generation C the data."""
    summary = json.dumps({"status": "SUCCESS", "nextPageToken": next_page}).encode()
    if organisation in NEW_GENERATION:
        return b'{"data":%b,"summary":%b}' % (data, summary)
    return b'{"summary":%b,"data":%b}' % (summary, data)


def _json_order(request: Request) -> dict[str, Any]:
    try:
        order = json.loads(request.body)
    except ValueError as problem:
        raise OrderError("the body is not JSON") from problem
    if not isinstance(order, dict):
        raise OrderError("the body must be a JSON object")
    return order


def _form_order(request: Request) -> dict[str, Any]:
    """A form knows texts only, and at most one misbehaviour."""
    form = request.form()
    fault = form.pop("fault", "")
    return {**form, "faults": [int(fault) if fault.isdecimal() else fault] if fault else []}


def _route(method: str, path: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    pattern = path.replace("{", "(?P<").replace("}", f">{UUID_PATTERN})")
    return method, re.compile(pattern, re.IGNORECASE), handler


ROUTES = (
    _route("GET", "/", Sandbox.page),
    _route("GET", "/style\\.css", Sandbox.stylesheet),
    _route("POST", "/sandbox/batches", Sandbox.start),
    _route("POST", "/token", Sandbox.token),
    _route("GET", "/collection/v1/batches", Sandbox.batches),
    _route("GET", "/collection/v1/batches/{batch}", Sandbox.batch),
    _route("GET", "/collection/v1/orgs/{organisation}/batches", Sandbox.batches),
    _route("GET", "/collection/v1/orgs/{organisation}/batches/{batch}", Sandbox.batch),
)
