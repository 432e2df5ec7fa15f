"""What comes over the wire and what goes back, apart from how it travels."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

FORM = "application/x-www-form-urlencoded"
EXTRA_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "7"}}


@dataclass(frozen=True)
class Request:
    """What came over the wire. The names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def fields(self) -> list[tuple[str, str]]:
        """The fields of a form in the body, in their order."""
        return parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True)


@dataclass(frozen=True)
class Response:
    """What goes over the wire, after the delay.

    A body in pieces leaves piece by piece, with a pause before each, and its connection ends with it: only so can an
    answer be longer than memory, endless, or broken off by a piece that raises `HangUpError`.
    """

    status: int
    body: bytes | Iterable[bytes]
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    pause: float = 0


class RefusedError(Exception):
    """Ends the handling of a request with an error status."""

    def __init__(self, status: int, why: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, why)
        self.status, self.why = status, why
        self.headers = EXTRA_HEADERS.get(status, {}) if headers is None else headers


class HangUpError(Exception):
    """Ends the connection at once, by a reset, whether or not a part of the answer has left."""


def json_response(status: int, value: object) -> Response:
    """A value as JSON."""
    return Response(status, json.dumps(value, separators=(",", ":")).encode())


def see_other(address: str) -> Response:
    """Sends a browser on, so that a reload repeats no order."""
    return Response(303, b"", headers={"Location": address})


def refused(refusal: RefusedError) -> Response:
    """An error answer. Nobody documented the body of Amili's, so ours promises nothing either."""
    response = json_response(refusal.status, {"code": refusal.status, "detail": refusal.why or "See the status"})
    return replace(response, headers=refusal.headers)
