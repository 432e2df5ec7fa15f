"""The demo batches: always there, under IDs that never change, each to show one thing."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from sandbox.batch import Batch, unedited
from sandbox.faults import NAMED, STATUSES, Fault
from sandbox.rows import CREDITORS, Row, uuid_text

NORDLYS, SORVEST, FJELL, KOMMUNE, BOLGE = CREDITORS
FOR_EVER = timedelta(days=365 * 100)

DOCUMENTED: Row = {
    "batchId": "5579c111-9c50-47e2-af92-f16d52e63189",
    "type": "NONE",
    "status": {
        "statuscode": 0,
        "errors": [{"objectname": "string", "objectindex": 0, "message": "string"}],
        "responses": [
            {"objectname": "string", "objectindex": 0, "ledgerref": "string", "status_statuscode": "string"},
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
        },
    ],
    "failed": [None],
}

SUCCEEDED: Row = {
    "batchId": "ae257e86-dc53-4865-9c97-5b125a3a5ac2",
    "type": "INVOICE",
    "status": "SUCCESS",
    "createdAt": "2025-03-09T14:30:00Z",
    "finishedAt": "2025-03-09T14:30:05Z",
    "organizationId": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "createdBy": "8a1b2c3d-4e5f-6789-abcd-ef0123456789",
    "succeeded": [
        {
            "invoiceId": "cfa69f56-2faf-4a1f-a011-1980d4e385b0",
            "invoiceNumber": "INV-2025-001",
            "caseId": "0b9d2f7e-51c8-4a36-9e1d-7f40c2b86a53",
        },
        {
            "invoiceId": "1e6f3a92-8d47-4c05-b2f9-35a7d0c4e618",
            "invoiceNumber": "INV-2025-002",
            "caseId": "94c7a1d0-2b6e-4f83-8a5c-e60f1b3d7295",
        },
    ],
    "failed": [],
}

ODD_ERRORS: list[object] = [
    None,
    "An error that is only a text",
    {},
    {"objectname": "Invoice", "objectindex": -4, "message": "The index is negative"},
    {"objectname": "Invoice", "objectindex": 2**70, "message": "The index is larger than 64 bits"},
    {"objectname": "Invoice", "objectindex": 2**53 + 1, "message": "The index is larger than a browser counts"},
    {"objectname": "Invoice", "objectindex": "17", "message": "The index is a text"},
    {"objectname": "Invoice", "objectindex": 3.5, "message": "The index is a fraction"},
    {"objectname": "Invoice", "objectindex": None, "message": "The index is null"},
    {"objectname": 5, "objectindex": 6, "message": ["The message", "is a list"]},
    {"objectname": "Invoice", "objectindex": 7, "message": None, "severity": "a field that nobody knows"},
    {"objectname": "<b>Invoice</b>", "objectindex": 8, "message": "<script>alert('not run')</script>"},
    {"objectname": "Invoice", "objectindex": 9, "message": "nul \0, bell \a, escape \x1b[31m, reversed \u202e text"},
    {"objectname": "Invoice", "objectindex": 10, "message": "half a surrogate pair \ud83d stands here"},
    {"objectname": "Invoice", "objectindex": 11, "message": "A long message. " * 300},
    {"objectname": "Invoice", "objectindex": 11, "message": "=HYPERLINK(0)"},
]


def _odd(data: Row) -> Row:
    return data | {
        "type": None,
        "status": {"statuscode": "0", "errors": ODD_ERRORS, "responses": [{"ledgerref": 12, "objectindex": []}, 7]},
        "createdAt": "0001-01-01T00:00:00",
        "finishedAt": "2026-02-06T10:11:12.1234567+01:00",
        "createdBy": 7,
        "succeeded": [
            None,
            {"$type": "invoiceSuccess"},
            {"$type": 17, "invoiceNumber": 30011200, "caseId": None, "invoiceId": "not a UUID"},
            {
                "$type": "invoiceSuccess",
                "invoiceNumber": "2026-100001",
                "caseId": "../<i>",
                "extra": {"deep": [1, [2]]},
            },
        ],
        "failed": [None, 42, "only a text", [], {}, {"deep": {"deeper": [{"deepest": None}]}}],
        "aFieldThatNobodyKnows": {"nested": True},
    }


def _payments(data: Row) -> Row:
    random = Random(data["batchId"])
    paid = [
        {
            "$type": "paymentSuccess",
            "paymentId": uuid_text(random),
            "invoiceId": row["invoiceId"],
            "amount": random.randrange(10_000, 900_000) / 100,
            "currency": "NOK",
        }
        for row in data["succeeded"]
    ]
    return data | {"type": "PAYMENT", "succeeded": paid}


def _called_success(data: Row) -> Row:
    return data | {"status": "SUCCESS"}


def _on_hold(data: Row) -> Row:
    return data | {"status": "ON_HOLD"}


def _without_responses(data: Row) -> Row:
    return data | {"status": data["status"] | {"responses": []}}


def _documented(_: Row) -> Row:
    return DOCUMENTED


def _succeeded(_: Row) -> Row:
    return SUCCEEDED


def _id(number: int) -> UUID:
    return UUID(f"5a4db0c5-0000-4000-8000-{number:012d}")


def _born(day: int) -> datetime:
    return datetime(2026, 2, day, 9, 30, 12, 345_000, UTC)


MINUTE = timedelta(minutes=1)

_SHOWN = {
    Batch(UUID(DOCUMENTED["batchId"]), NORDLYS, 2, 1, _born(1), MINUTE, _documented, has_submission=False): (
        "The example of the documentation, placeholders and all (generation A)"
    ),
    Batch(UUID(SUCCEEDED["batchId"]), SORVEST, 2, 0, _born(1), MINUTE, _succeeded, has_submission=False): (
        "Two invoices, both succeeded (generation C)"
    ),
    Batch(_id(1), NORDLYS, 5_000, 171, _born(2), MINUTE): "Partly succeeded: 5 000 objects, 188 errors of a few causes",
    Batch(_id(2), KOMMUNE, 500, 500, _born(3), MINUTE): "Failed: every one of its 500 objects",
    Batch(_id(3), BOLGE, 120, 0, _born(4), FOR_EVER): "Queued, and it stays so for ever",
    Batch(_id(4), SORVEST, 80, 12, _born(5), MINUTE, _called_success): "Says SUCCESS, and has failed items",
    Batch(_id(5), BOLGE, 60, 0, _born(5), MINUTE, _on_hold): "Has a status that nobody knows: ON_HOLD",
    Batch(_id(6), SORVEST, 30, 0, _born(6), MINUTE, _payments, has_submission=False): "Thirty payments, not invoices",
    Batch(
        _id(7), FJELL, 0, 0, _born(6), MINUTE, _odd, has_submission=False
    ): "Odd data: missing, null, mistyped, unknown, hostile",
    Batch(_id(8), NORDLYS, 95_455, 45_455, _born(7), MINUTE, _without_responses): (
        "100 000 rows: 50 000 errors and 50 000 succeeded"
    ),
    Batch(_id(9), FJELL, 300, 40, _born(8), MINUTE): "Partly succeeded, and its object indices count from one",
}

_FAULTS: dict[int, tuple[Fault, str]] = {
    **{status: (status, f"Always {status}: {words}") for status, words in STATUSES.items()},
    **dict(enumerate(NAMED.items(), start=901)),
}

_MISBEHAVING = {
    Batch(_id(number), FJELL, 40, 3, _born(8), MINUTE, unedited, fault): description
    for number, (fault, description) in _FAULTS.items()
}

DEMO_BATCHES: dict[UUID, Batch] = {batch.id: batch for batch in _SHOWN | _MISBEHAVING}

SHOWN = [batch.id for batch in _SHOWN]  # those that answer as they should
DEMO: dict[UUID, str] = {batch.id: description for batch, description in (_SHOWN | _MISBEHAVING).items()}
"""What each demo batch shows, in one line."""
