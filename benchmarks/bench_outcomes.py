"""What the sums of days save, and what they cost.

The numbers of 30 days, from the sums and from the batches themselves: as many as `--batches` says, of 20 organisations and
three types, all finished within these days; and from the sums alone where a tenth of them had finished. The page, against
the same page of a day long before the first batch. Recording an answer, against recording it without a word to the sums.

Then 1 000 organisations with a rhythm of twelve weeks are added: who is stuck and who is missing is to be found without
reading more batches than those that run. The plans are looked at.
"""

import os
from collections.abc import Callable, Collection, Iterator, Sized
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from batches import rhythm, sync, tally
from batches.amili.transport import Reply
from batches.days import bounds_of
from batches.facts import Question
from batches.models import Arrival, Batch, DayPace, OrganizationPace, OutcomeDay
from batches.trend import trend
from benchmarks.measure import at_least, at_most, compare, seconds
from benchmarks.plans import Plan, nodes, plans
from benchmarks.world import answer, copies, followed_batch, forget_batches, recorded_batch, signed_in

MANY = int(os.environ.get("BENCH_BATCHES", "1000000"))
DAYS, ORGANISATIONS = 30, 20
SENDERS, WEEKS, RUNNING = 1_000, 12, 2_000
ROUNDS, RECORDINGS = 9, 60

TIMES_LESS = 50
GROWTH = 1.15  # no slower with ten times the batches; what a figure of milliseconds strays by is no growth
TIMES_EMPTY = 3
TIMES_WITHOUT = 1.1
SUMS = (OutcomeDay, DayPace, OrganizationPace, Arrival)


def main() -> bool:
    """Print a line for each measurement; whether all keep to their limits."""
    forget_batches()
    client, last = signed_in(), timezone.localdate() - timedelta(days=1)
    recording, pattern = _recording(), recorded_batch(100)
    _fill(pattern, MANY // 10, last)
    few = _least(partial(trend, last, DAYS))
    _fill(pattern, MANY - MANY // 10, last)
    return all([recording, *_trend(last, few), _page(client, last), *_found(pattern)])


# ------------------------------------------------------------------------------------------ what they save


def _trend(last: date, few: float) -> Iterator[bool]:
    from_sums = partial(trend, last, DAYS)
    same = [(day.day, day.batches, day.median, day.p95) for day in from_sums()] == _straight(last)
    yield at_least(1, "the same numbers", same)
    ours, base, ratio = compare(ROUNDS, partial(seconds, from_sums), partial(seconds, partial(_straight, last)))
    print(f"  {DAYS} days: from the sums {ours * 1000:.1f} ms, from {MANY} batches {base * 1000:.0f} ms")
    yield at_least(TIMES_LESS, "times faster than from the batches", ratio)
    yield at_most(GROWTH, "times the time with a tenth of the batches", _least(from_sums) / few)


def _straight(last: date) -> list[tuple[Any, ...]]:
    """The same numbers from the batches themselves."""
    start, end = bounds_of(last - timedelta(days=DAYS - 1))[0], bounds_of(last)[1]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (ended_at AT TIME ZONE %(zone)s)::date AS day, count(*),
                count(*) FILTER (WHERE outcome = 'succeeded'), count(*) FILTER (WHERE outcome = 'partial'),
                count(*) FILTER (WHERE outcome = 'failed'), sum(succeeded_objects), sum(failed_objects),
                percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (
                    ORDER BY ceil(extract(epoch FROM ended_at - created_at))::bigint)
            FROM batches_batch WHERE ended_at >= %(start)s AND ended_at < %(end)s GROUP BY 1 ORDER BY 1
            """,
            {"zone": timezone.get_current_timezone_name(), "start": start, "end": end},
        )
        return [(row[0], row[1], *map(_two_digits, row[-1])) for row in cursor]


def _two_digits(took: int) -> int:
    step = 10 ** max(len(str(took)) - 2, 0)
    return -(-took // step) * step


def _least(deed: Callable[[], object]) -> float:
    """Seconds of the quickest of many calls: whatever else the machine does only adds."""
    return min(seconds(deed) for _ in range(3 * ROUNDS))


def _page(client: Client, last: date) -> bool:
    """A day long ago, and the day before yesterday: both have a past and a future, one has nothing to show."""
    pages = [partial(seconds, partial(_open, client, day)) for day in (date(1990, 3, 7), last)]
    compare(2, *pages)
    empty, ours, ratio = compare(ROUNDS, *pages)
    print(f"  page: empty {empty * 1000:.1f} ms, ours {ours * 1000:.1f} ms")
    return at_most(TIMES_EMPTY, "times the page without data", ratio)


def _open(client: Client, day: date) -> None:
    status = client.get("/outcomes/", {"day": day.isoformat()}).status_code
    if status != 200:
        raise RuntimeError(f"The outcomes of {day} answered {status}")


# ------------------------------------------------------------------------------------------ what they cost


def _recording() -> bool:
    """A hundred rows, each time another answer: what it replaces is of another outcome and another day."""
    batch_id = followed_batch().pk
    answers = [answer(batch_id, 100, seed) for seed in (0, 1)]
    turns = [answers[turn % 2].replace(b"-02T08:05", b"-%02dT08:05" % (2 + turn % 2)) for turn in range(2)]

    def record() -> None:
        for body in turns:
            sync.record(batch_id, Reply(200, body), Question(timezone.now()))

    def without() -> float:
        with _nobody_counts():
            return seconds(record)

    compare(3, without, partial(seconds, record))
    base, ours, ratio = compare(RECORDINGS, without, partial(seconds, record))
    print(f"  recording 100 rows: without sums {base * 500:.2f} ms, ours {ours * 500:.2f} ms")
    return at_most(TIMES_WITHOUT, "times recording without sums", ratio)


@contextmanager
def _nobody_counts() -> Iterator[None]:
    counting, sync.move = sync.move, lambda *_: None  # type: ignore[assignment]
    try:
        yield
    finally:
        sync.move = counting  # type: ignore[assignment]


# ------------------------------------------------------------------------------------------ stuck and missing


def _found(pattern: Batch) -> Iterator[bool]:
    _add_senders(pattern)
    now = timezone.now()
    stuck, missing = (
        partial(rhythm.stuck, now, Batch.objects.all()),
        partial(rhythm.missing, timezone.localdate(now), now),
    )
    yield _reads("stuck", stuck, {"batches_batch", "batches_organizationpace", "batches_daypace"})
    yield _reads("missing", missing, {"batches_arrival", "batches_expectation"})


def _reads(name: str, deed: Callable[[], Sized], allowed: Collection[str]) -> bool:
    """Whether what is found was found in these tables, and not by reading more batches than those that run."""
    every = [node for node in nodes(plans(deed, ", ANALYZE")) if "Relation Name" in node]
    batches = sum(map(_rows_read, (node for node in every if node["Relation Name"] == Batch._meta.db_table)))
    others = {node["Relation Name"] for node in every} - {*allowed}
    print(
        f"  {name}: {len(deed())} found in {_least(deed) * 1000:.1f} ms; {batches} batches read, {len(others)} tables beside"
    )
    return at_most(1, f"{name}: batches read, of those that run", batches / RUNNING) and not others


def _rows_read(node: Plan) -> int:
    """Also those that were left out, and of an index's entries those whose rows were looked up above it."""
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return round((node["Actual Rows"] + left_out) * node["Actual Loops"])


# ------------------------------------------------------------------------------------------ the world


def _fill(pattern: Batch, count: int, last: date) -> None:
    """So many more batches, evenly on the days up to this one; every tenth takes 40 minutes."""
    begin = bounds_of(last - timedelta(days=DAYS - 1))[0]
    # Seven and a prime, so that no two of these go through their values in step.
    created = (
        f"'{begin.isoformat()}'::timestamptz + mod(n * 7919::bigint, {(DAYS * 24 - 2) * 3600}) * interval '1 second'"
    )
    took = "CASE mod(n / 13, 10) WHEN 0 THEN 2400 ELSE exp(2 + mod(n * 104729::bigint, 4000) / 1000.0) END::float8"
    copies(
        Batch,
        pattern,
        count,
        id="gen_random_uuid()",
        organization_id=f"lpad((1 + mod(n, {ORGANISATIONS}))::text, 32, '0')::uuid",
        type="(ARRAY['INVOICE', 'PAYMENT', 'REMINDER'])[1 + mod(n / 7, 3)]",
        outcome="(ARRAY['partial', 'failed', 'succeeded'])[least(1 + mod(n / 11, 10), 3)]",
        created_at=created,
        finished_at=f"{created} + ({took}) * interval '1 second'",
    )
    _count()


def _add_senders(pattern: Batch) -> None:
    """Many organisations that send every day, for twelve weeks, and today some batches of theirs that run since hours."""
    organisation = f"lpad((1000 + mod(n, {SENDERS}))::text, 32, '0')::uuid"
    today = bounds_of(timezone.localdate())[0]
    created = f"'{today.isoformat()}'::timestamptz - (1 + n / {SENDERS}) * interval '1 day' + interval '1 minute'"
    end = f"{created} + interval '1 minute'"
    make = partial(copies, Batch, pattern, id="gen_random_uuid()", organization_id=organisation)
    make(SENDERS * 7 * WEEKS, created_at=created, finished_at=end)
    running = {"outcome": "'in_progress'", "finished_at": "NULL", "next_check_at": "now()", "checked_at": "now()"}
    make(RUNNING, created_at="now() - mod(n, 100) * interval '1 minute'", **running)
    _count()


def _count() -> None:
    for month in tally.months():
        tally.recount(month)
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(table._meta.db_table for table in (Batch, *SUMS))}")
