"""What Amili answers, made for the tests: JSON of both generations, and a network that is a function."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any, Protocol
from uuid import UUID

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

type Json = dict[str, Any]
type Reply = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]

BATCH = UUID("5579c111-9c50-47e2-af92-f16d52e63189")
ORGANISATION = UUID("7bc05553-4b68-44e8-b7bc-37be63c6d9e9")
OTHER = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")


def documented() -> Json:
    """The documentation's example of the first generation, word for word."""
    return {
        "summary": {"status": "SUCCESS"},
        "data": {
            "batchId": "5579c111-9c50-47e2-af92-f16d52e63189",
            "type": "NONE",
            "status": {
                "statuscode": 0,
                "errors": [{"objectname": "string", "objectindex": 0, "message": "string"}],
                "responses": [
                    {"objectname": "string", "objectindex": 0, "ledgerref": "string", "status_statuscode": "string"}
                ],
            },
            "createdAt": "2019-08-24T14:15:22Z",
            "finishedAt": "2019-08-24T14:15:22Z",
            "organizationId": "7bc05553-4b68-44e8-b7bc-37be63c6d9e9",
            "createdBy": "25a02396-1048-48f9-bf93-102d2fb7895e",
            "succeeded": [
                {
                    "$type": "invoiceSuccess",
                    "invoiceNumber": "string",
                    "caseId": "string",
                    "invoiceId": "4f163819-178d-470c-a246-d6768476a6ec",
                }
            ],
            "failed": [None],
        },
    }


def error(index: Any = 0, message: Any = "Beløpet mangler", **more: Any) -> Json:
    return {"objectname": "Invoice", "objectindex": index, "message": message, **more}


def ledger_response(index: Any = 0, **more: Any) -> Json:
    return {"objectname": "Invoice", "objectindex": index, "ledgerref": "L-1", "status_statuscode": "OK", **more}


def succeeded(number: int = 1, **more: Any) -> Json:
    return {
        "$type": "invoiceSuccess",
        "invoiceNumber": f"2026-{number}",
        "caseId": str(UUID(int=number)),
        "invoiceId": str(UUID(int=number + 2**32)),
        **more,
    }


def of_first_generation(*, errors: Any = (), responses: Any = (), statuscode: Any = 0, **changed: Any) -> Json:
    """`data` with the status as an object. A field changed to `...` is left out."""
    status = {"statuscode": statuscode, "errors": errors, "responses": responses}
    return _data({"status": status, **changed})


def of_today(status: Any = "SUCCESS", **changed: Any) -> Json:
    """`data` with the status as a word. A field changed to `...` is left out."""
    return _data({"status": status, **changed})


def _data(changed: Json) -> Json:
    ordinary: Json = {
        "batchId": str(BATCH),
        "type": "INVOICE",
        "status": None,
        "createdAt": "2026-03-09T14:30:00Z",
        "finishedAt": "2026-03-09T14:30:05Z",
        "organizationId": str(ORGANISATION),
        "createdBy": "8a1b2c3d-4e5f-6789-abcd-ef0123456789",
        "succeeded": [],
        "failed": [],
    }
    return {name: value for name, value in {**ordinary, **changed}.items() if value is not ...}


def body(data: Any, summary: Any = None) -> bytes:
    """The whole answer, with a summary that says SUCCESS whatever became of the batch."""
    return json.dumps({"summary": summary or {"status": "SUCCESS"}, "data": data}).encode()


class Network(HTTPAdapter):
    """A network that is a function from request to reply, and remembers what was asked with which time limits."""

    def __init__(self, answer: Callable[[requests.PreparedRequest], Reply]) -> None:
        super().__init__()
        self.answer = answer
        self.requests: list[requests.PreparedRequest] = []
        self.timeouts: list[Any] = []

    def send(self, request: requests.PreparedRequest, *_: Any, timeout: Any = None, **__: Any) -> requests.Response:
        self.requests.append(request)
        self.timeouts.append(timeout)
        status, content, *rest = self.answer(request)
        raw = HTTPResponse(BytesIO(content), rest[0] if rest else {}, status, preload_content=False)
        return self.build_response(request, raw)

    @property
    def paths(self) -> list[str]:
        """Where the requests went, in order."""
        return [str(request.path_url) for request in self.requests]

    def carry[S: Mountable](self, session: S) -> S:
        """The session, with this network in place of the real one."""
        session.mount("https://", self)
        return session


class Mountable(Protocol):
    """A session, ours or the library's."""

    def mount(self, prefix: str, adapter: BaseAdapter) -> None: ...
