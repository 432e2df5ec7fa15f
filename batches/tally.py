"""Counts batches by day, as they come to be, change and are corrected: the only writer of the sums in `models.outcome`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from batches.days import bounds_of, last_of
from batches.models import NO_ORGANIZATION, Arrival, Batch, DayPace, OrganizationPace, OutcomeDay


class Line(NamedTuple):
    """What the sums need to know of a batch."""

    organization_id: UUID | None
    type: str
    outcome: str
    created_at: datetime | None  # empty: nobody has said when it arrived
    ended_at: datetime | None  # empty: it is not finished
    succeeded_objects: int
    failed_objects: int


def line_of(batch: Batch) -> Line:
    """As the batch is now, saved or not."""
    return Line(
        batch.organization_id,
        batch.type,
        batch.outcome,
        batch.created_at,
        batch.end,
        batch.succeeded_objects,
        batch.failed_objects,
    )


def move(before: Iterable[Line], after: Iterable[Line]) -> None:
    """Count batches as they are now, and no longer as they were.

    In the transaction that changes them and at its end: whoever records other batches of that day waits from here on.
    """
    _add(_summed([(1, line) for line in after] + [(-1, line) for line in before]))


# ------------------------------------------------------------------------------------------ what a batch adds

type Table = type[models.Model]
type Part = tuple[Table, tuple[Any, ...], tuple[int, ...]]
"""A table, a key in it, and what is to be added to the numbers of that row."""
type Sums = Mapping[Table, Mapping[tuple[Any, ...], list[int]]]

# The columns of each key with their types, and the numbers.
_KEYS: dict[Table, dict[str, str]] = {
    OutcomeDay: {"day": "date", "organization_id": "uuid", "type": "text", "outcome": "text"},
    DayPace: {"day": "date", "seconds": "bigint"},
    OrganizationPace: {"organization_id": "uuid", "month": "date", "seconds": "bigint"},
    Arrival: {"day": "date", "organization_id": "uuid", "quarter": "smallint"},
}
_NUMBERS: dict[Table, list[str]] = {table: ["batches"] for table in _KEYS} | {
    OutcomeDay: ["batches", "succeeded", "failed"]
}


def _parts(line: Line) -> Iterator[Part]:
    organization_id = line.organization_id or NO_ORGANIZATION
    if line.created_at:
        arrived = timezone.localtime(line.created_at)
        yield Arrival, (arrived.date(), organization_id, arrived.hour * 4 + arrived.minute // 15), (1,)
    if line.ended_at:
        day = timezone.localtime(line.ended_at).date()
        numbers = (1, line.succeeded_objects, line.failed_objects)
        yield OutcomeDay, (day, organization_id, line.type, line.outcome), numbers
        if line.created_at and line.created_at <= line.ended_at:
            took = two_digits(line.ended_at - line.created_at)
            yield DayPace, (day, took), (1,)
            yield OrganizationPace, (organization_id, day.replace(day=1), took), (1,)


def two_digits(took: timedelta) -> int:
    """Whole seconds, rounded up to two digits: few enough to count, and as exact as anybody reads them."""
    seconds = -(-took // timedelta(seconds=1))
    step: int = 10 ** max(len(str(seconds)) - 2, 0)
    return -(-seconds // step) * step


def _summed(lines: Iterable[tuple[int, Line]]) -> Sums:
    sums: dict[Table, dict[tuple[Any, ...], list[int]]] = {table: {} for table in _KEYS}
    for sign, line in lines:
        for table, key, numbers in _parts(line):
            known = sums[table].setdefault(key, [0] * len(numbers))
            for place, number in enumerate(numbers):
                known[place] += sign * number
    return sums


# ------------------------------------------------------------------------------------------ into the tables


def _add(sums: Sums) -> None:
    """In one statement, and in one order of tables and rows for all who write, lest two wait for each other."""
    changes = {table: sorted(row for row in rows.items() if any(row[1])) for table, rows in sums.items()}
    inserts = [_insert(table) for table, rows in changes.items() if rows]
    if inserts:
        parts = [f"part_{place} AS ({insert})" for place, insert in enumerate(inserts)]
        columns = [
            list(column) for rows in changes.values() for column in zip(*((*k, *n) for k, n in rows), strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"WITH {', '.join(parts)} SELECT", columns)


def _insert(table: Table) -> str:
    keys, numbers = _KEYS[table], _NUMBERS[table]
    given = [f"%s::{kind}[]" for kind in keys.values()] + ["%s::bigint[]"] * len(numbers)
    added = [f"{name} = known.{name} + excluded.{name}" for name in numbers]
    return (
        f"INSERT INTO {table._meta.db_table} AS known ({', '.join([*keys, *numbers])}) SELECT * FROM unnest({', '.join(given)})"
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(added)}"
    )


# ------------------------------------------------------------------------------------------ from the beginning


def months() -> list[date]:
    """The first days of the months in which there is something to count, or something counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT date_trunc('month', submitted_at AT TIME ZONE %(zone)s)::date AS month FROM batches_batch
            UNION SELECT DISTINCT date_trunc('month', ended_at AT TIME ZONE %(zone)s)::date FROM batches_batch
            UNION SELECT DISTINCT date_trunc('month', day)::date FROM batches_outcomeday
            UNION SELECT DISTINCT date_trunc('month', day)::date FROM batches_arrival
            ORDER BY month
            """,
            {"zone": timezone.get_current_timezone_name()},
        )
        return [month for (month,) in cursor if month]


def recount(month: date) -> None:
    """Count the batches of a month from the beginning. Who records meanwhile waits."""
    start, end = bounds_of(month)[0], bounds_of(last_of(month))[1]
    is_of_it = Q(ended_at__gte=start, ended_at__lt=end) | Q(submitted_at__gte=start, submitted_at__lt=end)
    with transaction.atomic():
        _hold_all()
        for table in _KEYS:
            table._default_manager.filter(**_within(table, month)).delete()
        batches = Batch.objects.filter(is_of_it).values_list(*Line._fields)
        sums = _summed((1, Line(*row)) for row in batches.iterator(chunk_size=10_000))
        _add({table: {key: n for key, n in rows.items() if _is_of(table, key, month)} for table, rows in sums.items()})


def _within(table: Table, month: date) -> dict[str, Any]:
    return {"month": month} if "month" in _KEYS[table] else {"day__range": (month, last_of(month))}


def _is_of(table: Table, key: tuple[Any, ...], month: date) -> bool:
    """Whether this key counts in that month: a batch may have arrived in another than the one in which it ended."""
    day: date = key[[*_KEYS[table]].index("month" if "month" in _KEYS[table] else "day")]
    return day.replace(day=1) == month


def _hold_all() -> None:
    """Nobody else writes sums. Who has changed a batch, but not counted it yet, adds to ours the difference that it makes."""
    tables = ", ".join(table._meta.db_table for table in _KEYS)
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")
