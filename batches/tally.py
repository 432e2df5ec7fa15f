"""Counts batches by day, as they come to be, change and are corrected: the only writer of the sums in `models.outcome`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, models, transaction
from django.utils import timezone

from batches.days import bounds_of, last_of
from batches.models import NO_ORGANIZATION, Arrival, Batch, CauseDay, DayPace, OrganizationPace, OutcomeDay


class Line(NamedTuple):
    """What the sums need to know of a batch."""

    organization_id: UUID | None
    type: str
    outcome: str
    created_at: datetime | None  # empty: nobody has said when it arrived
    ended_at: datetime | None  # empty: it is not finished
    finished_at: datetime | None  # empty: nobody has said how long it took
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
        batch.finished_at,
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
        if line.created_at and line.finished_at and line.created_at <= line.finished_at:
            took = two_digits(line.finished_at - line.created_at)
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

# The same as `_parts`, of a whole month at once: in the database, since whoever records meanwhile waits.
_ENDED = "FROM batches_batch WHERE ended_at >= %(start)s AND ended_at < %(end)s"
_TOOK = f"""
    FROM (
        SELECT coalesce(organization_id, %(nobody)s) AS organization_id, (ended_at AT TIME ZONE %(zone)s)::date AS day,
            ceil(extract(epoch FROM finished_at - created_at))::bigint AS took
        {_ENDED} AND created_at <= finished_at
    ) AS batch, LATERAL (SELECT (10 ^ greatest(length(took::text) - 2, 0))::bigint AS step) AS rounding
"""
_RECOUNTS: dict[Table, str] = {
    OutcomeDay: f"""
        SELECT (ended_at AT TIME ZONE %(zone)s)::date, coalesce(organization_id, %(nobody)s), type, outcome,
            count(*), sum(succeeded_objects), sum(failed_objects) {_ENDED} GROUP BY 1, 2, 3, 4
    """,
    DayPace: f"SELECT day, (took + step - 1) / step * step, count(*) {_TOOK} GROUP BY 1, 2",
    OrganizationPace: f"""
        SELECT organization_id, date_trunc('month', day)::date, (took + step - 1) / step * step, count(*) {_TOOK}
        GROUP BY 1, 2, 3
    """,
    Arrival: """
        SELECT at::date, organization_id, extract(hour FROM at) * 4 + floor(extract(minute FROM at) / 15), count(*)
        FROM (
            SELECT coalesce(organization_id, %(nobody)s) AS organization_id, created_at AT TIME ZONE %(zone)s AS at
            FROM batches_batch WHERE submitted_at >= %(start)s AND submitted_at < %(end)s AND created_at IS NOT NULL
        ) AS batch GROUP BY 1, 2, 3
    """,
}


def months() -> list[date]:
    """The first days of the months in which there is something to count, or something counted."""
    days = [f"SELECT day FROM {table._meta.db_table}" for table in (OutcomeDay, DayPace, Arrival, CauseDay)]
    days += ["SELECT month FROM batches_organizationpace"]
    days += [f"SELECT {name} AT TIME ZONE %(zone)s FROM batches_batch" for name in ("submitted_at", "ended_at")]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('month', day)::date AS month FROM ({' UNION ALL '.join(days)}) AS every (day)"
            " WHERE day IS NOT NULL ORDER BY month",
            {"zone": timezone.get_current_timezone_name()},
        )
        return [month for (month,) in cursor]


def recount(month: date) -> None:
    """Count the batches of a month from the beginning. Who records meanwhile waits."""
    start, end = bounds_of(month)[0], bounds_of(last_of(month))[1]
    given: dict[str, Any] = {
        "zone": timezone.get_current_timezone_name(),
        "nobody": NO_ORGANIZATION,
        "start": start,
        "end": end,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        _hold_all()
        for table, select in _RECOUNTS.items():
            column = "month" if table is OrganizationPace else "day"
            table._default_manager.filter(**{f"{column}__range": (month, last_of(month))}).delete()
            columns = ", ".join([*_KEYS[table], *_NUMBERS[table]])
            cursor.execute(f"INSERT INTO {table._meta.db_table} ({columns}) {select}", given)


def _hold_all() -> None:
    """Nobody else writes sums. Who has changed a batch, but not counted it yet, adds to ours the difference that it makes."""
    tables = ", ".join(table._meta.db_table for table in _KEYS)
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")
