"""What is written of batches and of causes."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import batched
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, F, QuerySet, UUIDField, Value, When
from django.db.models.functions import JSONObject, NullIf
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from batches.exports.table import Column, Row, Table, table_of
from batches.exports.words import name_of, word_of
from batches.models import (
    NO_ORGANIZATION,
    BatchCause,
    BatchQuerySet,
    CauseDay,
    CauseOrganization,
    CauseQuerySet,
    SucceededItem,
)
from batches.words import Outcome, TriageState, Trouble, ranges_text


def batch_list(batches: BatchQuerySet) -> Table:
    """Batches in their order."""
    return _with_top_causes(table_of("batches", _("Batches"), _BATCH, batches))


def facts_of(batches: BatchQuerySet) -> Table:
    """What is known of one batch."""
    return replace(batch_list(batches), title=_("Facts"), name="facts", is_record=True)


def cause_list(causes: CauseQuerySet) -> Table:
    """Causes in their order, over all batches."""
    return table_of("causes", _("Causes"), _CAUSE, causes)


def facts_of_cause(causes: CauseQuerySet) -> Table:
    """What is known of one cause."""
    return replace(cause_list(causes), title=_("Facts"), name="facts", is_record=True)


def causes_of_batch(shares: QuerySet[BatchCause]) -> Table:
    """The causes of one batch."""
    return table_of("causes", _("Causes"), _CAUSE_OF_BATCH, shares.order_by("-rows", "cause_id"))


def batches_of_cause(shares: QuerySet[BatchCause]) -> Table:
    """The batches with one cause, newest first."""
    return table_of("batches", _("Batches"), _BATCH_OF_CAUSE, shares.order_by("-submitted_at", "-batch_id"))


def organisations_of_cause(sums: QuerySet[CauseOrganization]) -> Table:
    """The organisations whose batches have a cause, the one with most rows first."""
    found = sums.filter(batches__gt=0).order_by("-rows", "organization_id")
    return table_of("organisations", _("Organisations"), _ORGANISATION_OF_CAUSE, found)


def days_of_cause(sums: QuerySet[CauseDay]) -> Table:
    """Every day on which batches with a cause were submitted, the latest first."""
    return table_of("days", _("Days"), _DAY_OF_CAUSE, sums.filter(rows__gt=0).order_by("-day"))


def invoices_of_case(invoices: QuerySet[SucceededItem]) -> Table:
    """Every invoice of a case, newest batch first."""
    newest_first = invoices.order_by("-batch__submitted_at", "batch_id", "position")
    return table_of("invoices", _("Invoices"), _INVOICE_OF_CASE, newest_first)


def _with_top_causes(table: Table) -> Table:
    """Looked up for some batches at a time: a query that did it for all would keep the first of them waiting."""
    place = [column.name for column in table.columns].index("top_cause")

    def rows() -> Iterator[Row]:
        for some in batched(table.rows, 1000, strict=False):
            causes = BatchCause.objects.top_of([row[place] for row in some])
            top = {batch_id: cause.template for batch_id, cause in causes.items()}
            yield from ([*row[:place], top.get(row[place]), *row[place + 1 :]] for row in some)

    return replace(table, rows=rows())


# ------------------------------------------------------------------------------------------ columns


def _organisation(organization_id: UUID | None) -> str:
    return (settings.AMILI_ORGANIZATIONS.get(organization_id) if organization_id else None) or ""


def _ranges(hit: dict[str, Any]) -> str:
    """`0–41, 57`; and how many objects are beyond those that are kept."""
    ranges = hit["ranges"]
    text = ranges_text(ranges)
    beyond = hit["objects"] - sum(last - first + 1 for first, last in ranges)
    if beyond <= 0 or not ranges:
        return text
    more = ngettext("%(n)s more object", "%(n)s more objects", beyond) % {"n": beyond}
    return gettext("%(ranges)s and %(more)s") % {"ranges": text, "more": more}


def _about(batch: str = "") -> list[Column]:
    """What every list says of a batch, reached from its rows by this path."""
    told = When(**{f"{batch}checked_at__isnull": False}, then=F(f"{batch}outcome"))
    return [
        Column("batch_id", _("Batch"), f"{batch}id", width=38),
        Column("organisation", _("Organisation"), F(f"{batch}organization_id"), _organisation, width=24),
        Column("organization_id", _("Organisation ID"), f"{batch}organization_id", width=38),
        Column("type", _("Type"), f"{batch}type"),
        Column("status", _("Status"), Case(told), word_of(Outcome)),
        Column("created_at", _("Created"), f"{batch}created_at", width=20),
        Column("finished_at", _("Finished"), f"{batch}finished_at", width=20),
    ]


def _triage(of: str = "") -> list[Column]:
    return [
        Column("triage", _("Triage"), f"{of}triage_state", word_of(TriageState), width=22),
        Column("triaged_at", _("Triage changed"), f"{of}triaged_at", width=20),
        Column("owner", _("Owner"), name_of(f"{of}owner"), width=24),
    ]


def _triage_of_batch(batch: str = "") -> list[Column]:
    """The same of a batch in which something failed; in others nobody has to look into anything."""
    failed = {f"{batch}outcome__in": [Outcome.FAILED, Outcome.PARTIAL]}
    return [replace(column, source=Case(When(**failed, then=column.source))) for column in _triage(batch)]


def _if_told(field: str) -> Case:
    """A count is none, and not zero, while Amili has told us nothing."""
    return Case(When(checked_at__isnull=False, then=F(field)))


_BATCH = [
    *_about(),
    Column("succeeded_objects", _("Succeeded"), _if_told("succeeded_objects"), width=12),
    Column("failed_objects", _("Failed"), _if_told("failed_objects"), width=12),
    Column("error_count", _("Error rows"), _if_told("error_count"), width=12),
    Column("top_cause", _("Top cause"), F("id"), width=60),  # looked up by it
    *_triage_of_batch(),
    Column("corrected_in", _("Corrected in"), "corrected_in_id", width=38),
    Column("amili_status", _("Status at Amili"), F("status")),
    Column("amili_statuscode", _("Status code at Amili"), F("statuscode")),
    Column("trouble", _("Not answered"), show=word_of(Trouble), width=24),
    Column("created_by", _("Created by"), width=38),
    Column("first_seen_at", _("First seen"), width=20),
    Column("checked_at", _("From Amili at"), width=20),
    Column("changed_at", _("Last changed"), width=20),
]

_CAUSE = [
    Column("cause_id", _("Cause number"), "id", width=14),
    Column("cause", _("Cause"), "template", width=60),
    *_triage(),
    Column("batches", _("Batches"), "batch_count", width=12),
    Column("rows", _("Error rows"), "row_count", width=12),
    Column("organisations", _("Organisations"), "organization_count", width=14),
    Column("first_seen_at", _("First seen"), width=20),
    Column("last_seen_at", _("Last seen"), width=20),
    Column("advice", _("Advice"), width=60),
    Column("advised_by", _("Advice by"), name_of("advised_by"), width=24),
    Column("advised_at", _("Advice of"), width=20),
    Column("example", _("Example"), width=60),
]

_SHARE = [
    Column("rows", _("Error rows"), width=12),
    Column("objects", _("Objects"), "objects_hit", width=12),
    Column("ranges", _("Indices"), JSONObject(ranges="ranges", objects="objects_hit"), _ranges, width=30),
    Column("example", _("Example"), width=60),
]

_CAUSE_OF_BATCH = [
    Column("cause_id", _("Cause number"), width=14),
    Column("cause", _("Cause"), "cause__template", width=60),
    *_SHARE,
    Column("advice", _("Advice"), "cause__advice", width=60),
    *_triage("cause__"),
]

_BATCH_OF_CAUSE = [*_about("batch__"), *_SHARE, *_triage_of_batch("batch__")]

_SUM = [Column("rows", _("Error rows"), width=12), Column("batches", _("Batches"), width=12)]

_NAMED = NullIf("organization_id", Value(NO_ORGANIZATION, UUIDField()))

_ORGANISATION_OF_CAUSE = [
    Column("organisation", _("Organisation"), _NAMED, _organisation, width=24),
    Column("organization_id", _("Organisation ID"), _NAMED, width=38),
    *_SUM,
    Column("first_seen_at", _("First seen"), width=20),
    Column("last_seen_at", _("Last seen"), width=20),
]

_DAY_OF_CAUSE = [Column("day", _("Day"), width=12), *_SUM]

_INVOICE_OF_CASE = [
    Column("invoice_number", _("Invoice number"), width=20),
    Column("invoice_id", _("Invoice ID"), width=38),
    Column("kind", _("Kind")),
    *_about("batch__"),
    Column("extra", _("Other fields"), width=40, is_json=True),
]
