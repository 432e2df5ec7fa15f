"""Amili's answers about a batch, of every generation -> one frozen BatchSnapshot.

The last place that sees foreign JSON. Two generations are told apart by their shape, never by a setting: `status` as an
object that holds the error rows (https://docs.amili.dev/get-batch-by-id-3939029e0), and `status` as a word
(https://docs.amili.dev/getbatchbyid-4148060e0). What is missing, null, mistyped or unknown never costs the rest: rows are
decoded typed and all at once, and only where one does not fit are they taken singly, keeping in `extra` what we cannot name.
"""

import json
import math
import re
import sys
from datetime import datetime
from functools import cached_property
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct, field

from batches.amili.errors import NotUnderstood
from batches.amili.fields import Fields, Row, source

# ------------------------------------------------------------------------------------------ shapes

type Index = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""An object index that the database can hold; any other stays as it came, in `extra`."""


class ErrorRow(Row, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with one object of the batch."""

    objectname: str | None = None
    objectindex: Index | None = None
    message: str | None = None


class LedgerResponse(Row, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What the ledger said of one object (first generation only)."""

    objectname: str | None = None
    objectindex: Index | None = None
    ledgerref: str | None = None
    status_statuscode: str | None = None


class Succeeded(Row, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """An object that went through: of an invoice its number, its id and its case."""

    kind: str | None = field(default=None, name="$type")
    invoice_number: str | None = field(default=None, name="invoiceNumber")
    invoice_id: str | None = field(default=None, name="invoiceId")
    case_id: str | None = field(default=None, name="caseId")


# What an entry that says nothing is read as: `{}` and `null`.
_NO_SUCCESS = (Succeeded(), Succeeded(extra="null"))
_NO_ERROR = (ErrorRow(), ErrorRow(extra="null"))


class BatchSnapshot(Struct, frozen=True, kw_only=True, dict=True):
    """What one answer says of one batch. Times are aware, lists in Amili's order, `failed` holds the items' JSON."""

    batch_id: UUID
    type: str = ""
    status: str = ""  # the word as it came; empty in the first generation
    statuscode: int | None = None  # first generation only
    created_at: datetime | None = None
    finished_at: datetime | None = None
    organization_id: UUID | None = None
    created_by: str = ""
    errors: list[ErrorRow] = []
    responses: list[LedgerResponse] = []
    succeeded: list[Succeeded] = []
    failed: list[str] = []
    odd_fields: list[str] = []  # names of fields whose value is not of the documented type

    @cached_property
    def failed_items(self) -> int:
        """How many entries of `failed` say anything: the documented example holds a bare null."""
        return sum(item not in ("null", "{}") for item in self.failed)

    @cached_property
    def succeeded_objects(self) -> int:
        """How many objects succeeded: an empty entry is none."""
        return sum(row not in _NO_SUCCESS for row in self.succeeded)

    @cached_property
    def objects_with_errors(self) -> int:
        """How many objects the error rows are about; each row without an index counts as one, if it says anything."""
        without_index = [row for row in self.errors if row.objectindex is None]
        saying = sum(row not in _NO_ERROR for row in without_index)
        return len({row.objectindex for row in self.errors} - {None}) + saying

    @cached_property
    def failed_objects(self) -> int:
        """How many objects failed, by whichever list knows of more."""
        return max(self.failed_items, self.objects_with_errors)


def read_batch(body: bytes, batch_id: UUID) -> BatchSnapshot:
    """Read an answer about `batch_id`. Raises NotUnderstood, and nothing else, when it is none."""
    fields = _open(body)
    if not fields.keys() & {"batchId", "status"}:
        raise NotUnderstood("The answer names neither a batch nor a status")
    answer = Fields(fields)
    named = answer.uuid("batchId")
    if named not in (None, batch_id):
        raise NotUnderstood("The answer is about another batch")
    status, parts = answer.status()
    return BatchSnapshot(
        batch_id=batch_id,
        type=answer.text("type"),
        status=status,
        statuscode=parts.integer("statuscode"),
        created_at=answer.moment("createdAt"),
        finished_at=answer.moment("finishedAt"),
        organization_id=answer.uuid("organizationId"),
        created_by=answer.text("createdBy"),
        errors=parts.rows("errors", ErrorRow),
        responses=parts.rows("responses", LedgerResponse),
        succeeded=answer.rows("succeeded", Succeeded),
        failed=[source(item) for item in answer.items("failed")],
        odd_fields=answer.odd + [f"status.{name}" for name in parts.odd],
    )


# ------------------------------------------------------------------------------------------ the envelope


class _Envelope(Struct):
    data: dict[str, Raw]


_envelope = msgspec.json.Decoder(_Envelope)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def _open(body: bytes) -> dict[str, Raw]:
    """The fields of `data`, undecoded."""
    if rb"\u0000" in body:  # JSON may hold it, PostgreSQL's text may not
        return _open_mended(body)
    try:
        body.decode()  # the envelope's fields stay undecoded, and their bytes unchecked
        return _envelope.decode(body).data
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _open_mended(body)


def _open_mended(body: bytes) -> dict[str, Raw]:
    """For what is JSON to some: a byte order mark, lone surrogates, U+0000, NaN, bytes that are not UTF-8."""
    try:
        return _envelope.decode(_mend(body)).data
    except json.JSONDecodeError as problem:
        raise NotUnderstood(_why_not_json(body, problem.pos)) from None
    except RecursionError:
        raise NotUnderstood("The answer is nested too deeply to be a batch") from None
    except msgspec.MsgspecError:
        raise NotUnderstood("The answer is JSON, but holds no batch under “data”") from None


def _mend(body: bytes) -> bytes:
    text = body.decode("utf-8-sig", "replace")
    loose = json.loads(text, parse_constant=lambda _: None, parse_float=_finite, parse_int=_countable)
    text = json.dumps(loose, ensure_ascii=False)
    return _ESCAPED_NUL.sub("\\1\ufffd", _LONE_SURROGATE.sub("\ufffd", text)).encode()


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _countable(text: str) -> int | str:
    return int(text) if len(text) < sys.int_info.default_max_str_digits else text


def _why_not_json(body: bytes, position: int) -> str:
    start = body.strip()[:1]
    if not start:
        return "The answer is empty"
    if start == b"<":
        return "The answer is a web page, not JSON"
    return f"The answer is not whole JSON: it goes wrong at character {position}"
