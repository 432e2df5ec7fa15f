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
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct, field

from batches.amili.errors import NotUnderstood

# ------------------------------------------------------------------------------------------ shapes

type Index = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""An object index that the database can hold; any other stays as it came, in `extra`."""


class _Row(Struct, frozen=True, gc=False, kw_only=True):
    # JSON of what has no field of its own. Ours alone: a text sent under this name is too long to be taken for it.
    extra: Annotated[str, Meta(max_length=0)] = ""


class ErrorRow(_Row, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with one object of the batch."""

    objectname: str | None = None
    objectindex: Index | None = None
    message: str | None = None


class LedgerResponse(_Row, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What the ledger said of one object (first generation only)."""

    objectname: str | None = None
    objectindex: Index | None = None
    ledgerref: str | None = None
    status_statuscode: str | None = None


class Succeeded(_Row, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """An object that went through: of an invoice its number, its id and its case."""

    kind: str | None = field(default=None, name="$type")
    invoice_number: str | None = field(default=None, name="invoiceNumber")
    invoice_id: str | None = field(default=None, name="invoiceId")
    case_id: str | None = field(default=None, name="caseId")


class BatchSnapshot(Struct, frozen=True, kw_only=True):
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

    @property
    def failed_items(self) -> int:
        """How many entries of `failed` say anything: the documented example holds a bare null."""
        return sum(item not in ("null", "{}") for item in self.failed)

    @property
    def succeeded_objects(self) -> int:
        """How many objects succeeded: an empty entry is none."""
        return sum(row not in (Succeeded(), Succeeded(extra="null")) for row in self.succeeded)

    @property
    def objects_with_errors(self) -> int:
        """How many objects the error rows are about; each row without an index counts as one, if it says anything."""
        without_index = [row for row in self.errors if row.objectindex is None]
        saying = sum(row not in (ErrorRow(), ErrorRow(extra="null")) for row in without_index)
        return len({row.objectindex for row in self.errors} - {None}) + saying

    @property
    def failed_objects(self) -> int:
        """How many objects failed, by whichever list knows of more."""
        return max(self.failed_items, self.objects_with_errors)


def read_batch(body: bytes, batch_id: UUID) -> BatchSnapshot:
    """Read an answer about `batch_id`. Raises NotUnderstood, and nothing else, when it is none."""
    fields = _open(body)
    if not fields.keys() & {"batchId", "status"}:
        raise NotUnderstood("The answer names neither a batch nor a status")
    answer = _Fields(fields)
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
        failed=[_source(item) for item in answer.items("failed")],
        odd_fields=answer.odd + [f"status.{name}" for name in parts.odd],
    )


# ------------------------------------------------------------------------------------------ the envelope


class _Envelope(Struct):
    data: dict[str, Raw]


_envelope = msgspec.json.Decoder(_Envelope)
_fields = msgspec.json.Decoder(dict[str, Raw])
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


# ------------------------------------------------------------------------------------------ its fields

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
NO_DATE_YEAR = 1  # .NET sends the year 0001 for "no date"


def _source(raw: Raw) -> str:
    return str(memoryview(raw), "utf-8", "replace")


class _Fields:
    """Named fields of one JSON object. A value of another type than documented is noted in `odd` and costs no other."""

    def __init__(self, fields: dict[str, Raw]) -> None:
        self._fields = fields
        self.odd: list[str] = []

    def status(self) -> tuple[str, "_Fields"]:
        """The status as a word, and the fields of the status as an object: one of the two is empty."""
        raw = self._fields.get("status")
        if raw is not None and bytes(memoryview(raw)[:1]) == b"{":
            return "", _Fields(_fields.decode(raw))
        return self.text("status"), _Fields({})

    def text(self, name: str) -> str:
        value = self._read(name, str)
        return _source(self._fields[name]) if value is None and name in self.odd else value or ""

    def integer(self, name: str) -> int | None:
        number: int | None = self._read(name, Annotated[int, Meta(ge=-(2**31), lt=2**31)])
        return number

    def uuid(self, name: str) -> UUID | None:
        value: UUID | None = self._read(name, UUID)
        return value

    def moment(self, name: str) -> datetime | None:
        """An aware time; None for none, and for one that no batch can have."""
        value: datetime | None = self._read(name, datetime)
        if value is None or value.year == NO_DATE_YEAR:
            return None
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        if EARLIEST < value < LATEST:
            return value
        self.odd.append(name)
        return None

    def items(self, name: str) -> list[Raw]:
        """A list's items, undecoded; anything else in its place counts as a list of one."""
        raw = self._fields.get(name)
        if raw is None:
            return []
        try:
            return msgspec.json.decode(raw, type=list[Raw] | None) or []
        except msgspec.ValidationError:
            self.odd.append(name)
            return [raw]

    def rows[Row: _Row](self, name: str, row_type: type[Row]) -> list[Row]:
        """A list's items as rows: all at once where they are as documented, else one by one."""
        try:
            return msgspec.json.decode(self._fields.get(name, b"[]"), type=list[row_type])  # type: ignore[valid-type]
        except msgspec.ValidationError:
            typed = msgspec.json.Decoder(row_type)
            return [_row(item, row_type, typed) for item in self.items(name)]

    def _read(self, name: str, kind: Any) -> Any:
        raw = self._fields.get(name)
        try:
            return None if raw is None else msgspec.json.decode(raw, type=kind | None)
        except msgspec.ValidationError:
            self.odd.append(name)
            return None


# ------------------------------------------------------------------------------------------ rows that do not fit


def _row[Row: _Row](item: Raw, row_type: type[Row], typed: msgspec.json.Decoder[Row]) -> Row:
    try:
        return typed.decode(item)
    except msgspec.ValidationError:
        return _loose_row(item, row_type)


class _Place(NamedTuple):
    """A field of a row: its name here and in JSON, and how it is read where it is not quite as documented."""

    name: str
    encode_name: str
    is_text: bool
    decoder: msgspec.json.Decoder[Any]


@cache
def _places(row_type: type[_Row]) -> list[_Place]:
    fields = [each for each in msgspec.structs.fields(row_type) if each.name != "extra"]
    return [
        _Place(each.name, each.encode_name, each.type == str | None, msgspec.json.Decoder(each.type, strict=False))
        for each in fields
    ]


def _loose_row[Row: _Row](item: Raw, row_type: type[Row]) -> Row:
    """A row with every field that can be read as what it should be; the rest, or all of a non-object, in `extra`."""
    try:
        rest = _fields.decode(item)
    except msgspec.ValidationError:
        return row_type(extra=_source(item))
    known = {}
    for place in _places(row_type):
        if place.encode_name in rest:
            try:
                known[place.name] = _loose_value(rest[place.encode_name], place)
            except msgspec.ValidationError:
                continue
            del rest[place.encode_name]
    return row_type(**known, extra=msgspec.json.encode(rest).decode() if rest else "")


def _loose_value(raw: Raw, place: _Place) -> Any:
    """Digits in quotes are an index, and a number is a text: only lists and objects are neither."""
    if place.is_text and bytes(memoryview(raw)[:1]) not in (b'"', b"{", b"[", b"n"):
        return _source(raw)
    return place.decoder.decode(raw)
