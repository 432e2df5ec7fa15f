"""A page of failed objects: each with its reasons, and the field at fault among its fields."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from batches.models import Batch, BatchCause, ErrorRow
from batches.submission.fault import named_fields, valued_fields
from batches.submission.meeting import Meeting
from batches.submission.submitted import Record
from batches.submission.texts import shown

PER_PAGE = 25
MOST_UNMET = 10  # error rows without an object that are shown
MOST_REASONS = 50  # error rows of one object
MOST_CAUSES = 50  # to choose from


@dataclass(frozen=True)
class Field:
    """A field of an object, and whether a message names it, or its value; `is_missing` if this object has none."""

    name: str
    value: str
    is_named: bool = False
    is_valued: bool = False
    is_missing: bool = False

    @property
    def is_at_fault(self) -> bool:
        return self.is_named or self.is_valued


@dataclass(frozen=True)
class FailedObject:
    """A submitted object and the error rows about it."""

    place: int
    line: int
    reasons: Sequence[ErrorRow]
    more: int  # error rows that are not shown
    fields: Sequence[Field]  # those at fault first

    @property
    def entry(self) -> int:
        """Its place as people count."""
        return self.place + 1

    @property
    def indexes(self) -> list[int]:
        """As Amili gave them: one, if at all, unless the rows were joined by invoice number."""
        return sorted({row.object_index for row in self.reasons if row.object_index is not None})

    @property
    def advice(self) -> list[str]:
        """What somebody has written about its causes."""
        return list(dict.fromkeys(row.cause.advice for row in self.reasons if row.cause and row.cause.advice))


@dataclass(frozen=True)
class ObjectPage:
    """Some failed objects, of how many in all, and the keys to turn the page with."""

    objects: Sequence[FailedObject]
    count: int
    before: int | None
    onward: int | None
    cause: int | None
    causes: Sequence[BatchCause]  # the largest, and the one that was chosen
    more_causes: int
    unmet: Sequence[ErrorRow]


def page_of_objects(meeting: Meeting, batch: Batch, asked: Mapping[str, str]) -> ObjectPage:
    """The page that begins with the object at the place `from`, of those that have the cause `cause`."""
    cause = cause_in(asked)
    join = meeting.join
    wanted = join.with_cause(cause)
    start = bisect_left(wanted, _number(asked.get("from")) or 0, key=lambda n: join.failed[n])
    some = wanted[start : start + PER_PAGE]
    causes, more_causes = _choice_of_causes(batch, cause)
    return ObjectPage(
        objects=_objects(meeting, batch, some),
        count=len(wanted),
        before=join.failed[wanted[max(start - PER_PAGE, 0)]] if start and wanted else None,
        onward=join.failed[wanted[start + PER_PAGE]] if start + PER_PAGE < len(wanted) else None,
        cause=cause,
        causes=causes,
        more_causes=more_causes,
        unmet=_rows(batch, join.unmet[:MOST_UNMET]),
    )


def cause_in(asked: Mapping[str, str]) -> int | None:
    """The cause that is asked for, if one is."""
    return _number(asked.get("cause"))


def _choice_of_causes(batch: Batch, chosen: int | None) -> tuple[list[BatchCause], int]:
    """And how many more there are."""
    every = batch.causes.select_related("cause").order_by("-rows", "cause_id")
    causes = list(every[:MOST_CAUSES])
    if len(causes) < MOST_CAUSES:
        return causes, 0
    if chosen not in {each.cause_id for each in causes}:
        causes += every.filter(cause=chosen)
    return causes, every.count() - len(causes)


def _objects(meeting: Meeting, batch: Batch, positions: Sequence[int]) -> list[FailedObject]:
    join = meeting.join
    ranks = [join.ranks[n][:MOST_REASONS] for n in positions]
    rows = {row.rank: row for row in _rows(batch, [rank for some in ranks for rank in some])}
    records = meeting.kept.records(join.failed[n] for n in positions)
    return [
        _object(meeting, place, record, [rows[rank] for rank in some if rank in rows], len(join.ranks[n]) - len(some))
        for n, some, (place, record) in zip(positions, ranks, records, strict=True)
    ]


def _object(meeting: Meeting, place: int, record: Record, reasons: Sequence[ErrorRow], more: int) -> FailedObject:
    frame = meeting.kept.frame
    fields = _fields(frame.fields(record.body), frame.columns, [row.message for row in reasons])
    return FailedObject(place, record.line, reasons, more, sorted(fields, key=lambda field: not field.is_at_fault))


def _fields(own: Sequence[tuple[str, str]], columns: Sequence[str], messages: Sequence[str]) -> list[Field]:
    names = dict.fromkeys([name for name, _ in own] + [shown(name) for name in columns])
    found = named_fields(names, messages)
    named = set().union(*found)
    valued = valued_fields(own, [message for message, those in zip(messages, found, strict=True) if not those])
    absent = named.difference(name for name, _ in own)
    missing = [Field(name, "", is_named=True, is_missing=True) for name in names if name in absent]
    return missing + [
        Field(name, value, name in named, place in valued and name not in named)
        for place, (name, value) in enumerate(own)
    ]


def _rows(batch: Batch, ranks: Sequence[int]) -> list[ErrorRow]:
    return list(batch.errors.filter(rank__in=ranks).select_related("cause").defer("extra").order_by("rank"))


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else None
