"""Amili's answers about a batch, of every generation -> one frozen BatchSnapshot.

The last place that sees foreign JSON. Two generations are told apart by their shape, never by a setting: `status` as an
object that holds the error rows (https://docs.amili.dev/get-batch-by-id-3939029e0), and `status` as a word
(https://docs.amili.dev/getbatchbyid-4148060e0). What is missing, null, mistyped or unknown never costs the rest: rows are
decoded typed and all at once, and only where one does not fit are they taken singly, keeping in `extra` what we cannot name.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Annotated, NamedTuple
from uuid import UUID

from msgspec import Meta, Raw, Struct, field

from batches.amili.envelope import data_of, identity, list_of
from batches.amili.errors import NotUnderstood
from batches.amili.failed import NO_FAILURE, Failure, read_failed
from batches.amili.fields import Fields, Row, source

__all__ = [
    "BatchSnapshot",
    "ErrorRow",
    "LedgerResponse",
    "ListPage",
    "Listed",
    "Succeeded",
    "identity",
    "read_batch",
    "read_list",
]

# ------------------------------------------------------------------------------------------ shapes

type Index = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""An object index that the database can hold; any other stays as it came, in `extra`."""


class ErrorRow(Row, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with one object of the batch."""

    objectname: str | None = None
    objectindex: Index | None = None
    message: str | None = None
    invoice_number: str | None = field(default=None, name="invoiceNumber")  # undocumented, but of use where it comes


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
    absent_lists: list[str] = []  # names of lists that the answer leaves out, or holds null in place of

    @cached_property
    def failed_items(self) -> int:
        """How many entries of `failed` say anything."""
        return sum(item not in NO_FAILURE for item in self.failed)

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

    @cached_property
    def faults(self) -> Sequence[ErrorRow | Failure]:
        """What is wrong, row by row: Amili's error rows; where it sends none that say anything, what failed items say."""
        return self.errors if self.objects_with_errors else read_failed(self.failed) or self.errors

    @cached_property
    def is_whole(self) -> bool:
        """Whether this can stand for the batch's own answer, where it was found in a list of batches.

        What a list tells of each batch is not documented: its example holds empty entries in place of rows. So anything
        that is missing, empty, odd or does not bear out the status speaks against it, and the batch is asked about.
        """
        has_gaps = self.odd_fields or self.absent_lists or self.created_at is None
        return not has_gaps and not self._has_placeholders and self._bears_out_its_status

    @property
    def _has_placeholders(self) -> bool:
        return (
            self.succeeded_objects < len(self.succeeded)
            or self.failed_items < len(self.failed)
            or any(row in _NO_ERROR for row in self.errors)
        )

    @property
    def _bears_out_its_status(self) -> bool:
        """A finished batch has rows: a list that says how batches ended may still leave their rows out."""
        succeeded, failed = bool(self.succeeded), bool(self.failed_objects)
        if self.status:
            rows = {"QUEUED": True, "SUCCESS": succeeded, "PARTIAL": succeeded and failed, "FAILED": failed}
            return rows.get(self.status.strip().upper(), False)
        return succeeded or failed or self.finished_at is None


def read_batch(body: bytes, batch_id: UUID) -> BatchSnapshot:
    """Read an answer about `batch_id`. Raises NotUnderstood, and nothing else, when it is none."""
    fields = data_of(body)
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
        absent_lists=[*answer.absent("succeeded", "failed"), *([] if status else parts.absent("errors"))],
    )


# ------------------------------------------------------------------------------------------ lists


class Listed(NamedTuple):
    """A batch as a list tells of it: `body` is what an answer about it alone would be, its `data` byte for byte."""

    batch_id: UUID
    body: bytes
    created_at: datetime | None


class ListPage(NamedTuple):
    """One page of a list of batches. `next_token` is empty on the last one."""

    items: list[Listed]
    next_token: str
    unreadable: int  # items that name no batch


MOST_LISTED = 1_000


def read_list(body: bytes) -> ListPage:
    """Read a page of https://docs.amili.dev/getbatchesbyorganization-4148061e0. Raises NotUnderstood when it is none.

    Rows stay undecoded: most batches of a page are known already.
    """
    raw_items, next_token = list_of(body)
    if len(raw_items) > MOST_LISTED:
        raise NotUnderstood(f"The page lists {len(raw_items)} batches, many more than were asked for")
    items = [item for item in map(_listed, raw_items) if item]
    return ListPage(items, next_token, len(raw_items) - len(items))


def _listed(item: Raw) -> Listed | None:
    body = b'{"data":%b}' % item
    try:
        fields = Fields(data_of(body))
    except NotUnderstood:
        return None
    batch_id = fields.uuid("batchId")
    return Listed(batch_id, body, fields.moment("createdAt")) if batch_id else None
