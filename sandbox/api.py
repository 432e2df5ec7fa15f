"""The stand-in's answers: from a request to a response, without sockets."""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sandbox import world
from sandbox.batch import Batch
from sandbox.faults import WELL, Fault, play
from sandbox.fresh import Fresh
from sandbox.lists import envelope, is_shown_to, page_of
from sandbox.moods import Mood, Moods
from sandbox.orders import one_of, order_of
from sandbox.page import CONTENT_SECURITY_POLICY, STYLESHEET, page
from sandbox.sheets import as_csv, as_xlsx
from sandbox.submissions import as_json
from sandbox.tokens import Tokens
from sandbox.webhooks import AGAIN, TIME_LIMIT, WRONGLY_SIGNED, Webhooks
from sandbox.wire import FORM, RefusedError, Request, Response, json_response, refused, see_other

type Handler = Callable[..., Response]

CLIENT_ID = "sandbox"
SUBMISSIONS: dict[str, tuple[str, Callable[[Batch], bytes]]] = {
    "json": ("application/json", as_json),
    "csv": ("text/csv; charset=utf-8", as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
}
UUID_PATTERN = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Sandbox:
    """Amili as a function from request to response, over the invented world and the batches started on request."""

    def __init__(
        self, clock: Callable[[], datetime], token_lifetime: int, slow_seconds: float, webhooks: Webhooks | None
    ) -> None:
        self._clock = clock
        self._tokens = Tokens(token_lifetime)
        self._slow_seconds = slow_seconds
        self._moods = Moods(clock, slow_seconds)
        self._fresh = Fresh()
        self._webhooks = webhooks

    def answer(self, request: Request) -> Response:
        """Answers every request, with an error where there is nothing else to say."""
        try:
            response = self._moods.play(request.path, lambda: self._route(request))
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
        form = dict(request.fields())
        if request.media_type != FORM or form.get("grant_type") != "client_credentials":
            raise RefusedError(400)
        if form.get("client_id") != CLIENT_ID or not form.get("client_secret"):
            raise RefusedError(401)
        return json_response(200, self._tokens.issue(self._clock()))

    def batch(self, request: Request, batch: UUID, organisation: UUID | None = None) -> Response:
        """One batch. A demo batch misbehaves by whichever path it is asked for, all others only where they are shown."""
        self._admit(request, organisation)
        found = self._find(batch)
        if not found:
            raise RefusedError(404)
        is_shown = is_shown_to(found, organisation)
        fault = found.fault or (self._fresh.next_fault(batch) if is_shown else None) or WELL
        if fault not in (WELL, "slow"):
            return self._misbehave(found, fault)
        if not is_shown:
            raise RefusedError(404)
        delay = self._slow_seconds if fault == "slow" else 0
        return Response(200, envelope(found.data(self._clock())), delay=delay)

    def batches(self, request: Request, organisation: UUID | None = None) -> Response:
        """A page of batches."""
        self._admit(request, organisation)
        now = self._clock()
        every = [*self._fresh.newest_first(), *world.history(now)]
        return Response(200, page_of(every, request.query, organisation, now, self._find))

    def page(self, request: Request) -> Response:
        """The sandbox's own page, for a person."""
        now = self._clock()
        newest = [*self._fresh.newest_first()[:10], *world.recent(now, 10)]
        html = page(newest, now, self._moods.now(), self._webhooks, started=request.query.get("started", ""))
        policy = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
        return Response(200, html.encode(), "text/html; charset=utf-8", policy)

    def stylesheet(self, _: Request) -> Response:
        """The style of that page."""
        return Response(200, STYLESHEET, "text/css; charset=utf-8")

    def start(self, request: Request) -> Response:
        """Starts a batch: for a program, which sends JSON, and for the form of our page."""
        batch = self._fresh.start(order_of(request), self._clock())
        if self._webhooks:
            self._webhooks.follow(batch)
        if request.media_type == FORM:
            return see_other(f"/?started={batch.id}")
        return json_response(201, {"batchId": str(batch.id), "organizationId": str(batch.creditor.id)})

    def submission(self, request: Request, batch: UUID) -> Response:
        """The file that was submitted for a batch, in the format that the path ends in."""
        found = self._find(batch)
        if not found or not found.has_submission:
            raise RefusedError(404)
        ending = request.path.rpartition(".")[2].lower()
        content_type, written = SUBMISSIONS[ending]
        headers = {"Content-Disposition": f'attachment; filename="submission-{batch}.{ending}"'}
        return Response(200, written(found), content_type, headers)

    def mood(self, _: Request) -> Response:
        """The mood now."""
        return json_response(200, _told(self._moods.now()))

    def choose_mood(self, request: Request) -> Response:
        """Another mood, for a while."""
        mood = self._moods.choose(order_of(request))
        return see_other("/#mood") if request.media_type == FORM else json_response(200, _told(mood))

    def send_webhook(self, request: Request, batch: UUID) -> Response:
        """A batch's webhook once more. Waits for what becomes of it, so that the page can tell."""
        manner = one_of(order_of(request), "manner", (AGAIN, WRONGLY_SIGNED), AGAIN)
        sending = self._webhooks.send(batch, manner) if self._webhooks else None
        if not sending:
            raise RefusedError(404, "No webhook about this batch has been sent")
        sending.ended.wait(TIME_LIMIT)
        return see_other("/#newest") if request.media_type == FORM else json_response(200, {"outcome": sending.outcome})

    def _admit(self, request: Request, organisation: UUID | None) -> None:
        if not self._tokens.accepts(request.headers.get("authorization", ""), self._clock()):
            raise RefusedError(401)
        if organisation == world.FORBIDDEN_ORGANISATION:
            raise RefusedError(403)
        if organisation and organisation not in world.ORGANISATIONS:
            raise RefusedError(404)

    def _find(self, batch_id: UUID) -> Batch | None:
        return self._fresh.find(batch_id) or world.find(batch_id, self._clock())

    def _misbehave(self, batch: Batch, fault: Fault) -> Response:
        if isinstance(fault, int):
            raise RefusedError(fault)
        now = self._clock()
        told = world.recent(now, 1)[0] if fault == "another" else batch
        return play(fault, envelope(told.data(now)))


def _told(mood: Mood) -> dict[str, str | None]:
    return {"mood": mood.name, "until": mood.until.isoformat(timespec="seconds") if mood.until else None}


def _route(method: str, path: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    pattern = path.replace("{", "(?P<").replace("}", f">{UUID_PATTERN})")
    return method, re.compile(pattern, re.IGNORECASE), handler


ROUTES = (
    _route("GET", "/", Sandbox.page),
    _route("GET", "/style\\.css", Sandbox.stylesheet),
    _route("POST", "/sandbox/batches", Sandbox.start),
    _route("POST", "/sandbox/batches/{batch}/webhook", Sandbox.send_webhook),
    _route("GET", f"/sandbox/batches/{{batch}}/submission\\.(?:{'|'.join(SUBMISSIONS)})", Sandbox.submission),
    _route("GET", "/sandbox/mood", Sandbox.mood),
    _route("POST", "/sandbox/mood", Sandbox.choose_mood),
    _route("POST", "/token", Sandbox.token),
    _route("GET", "/collection/v1/batches", Sandbox.batches),
    _route("GET", "/collection/v1/batches/{batch}", Sandbox.batch),
    _route("GET", "/collection/v1/orgs/{organisation}/batches", Sandbox.batches),
    _route("GET", "/collection/v1/orgs/{organisation}/batches/{batch}", Sandbox.batch),
)
