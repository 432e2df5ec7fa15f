"""Pages of an investigation in a database of many error rows, against the same pages in one of 100 000.

The database is filled twice: with 100 000 error rows, and then up to as many as `--error-rows` says (10 million take some
minutes and 5 GB). A batch has 100 of them, of four causes, so that every page is full in both; there are 40 causes, 1 000
organisations and a year of days.

Compared is the time that a page's queries take in the database, without templates. The plans of all these queries are
looked at too: none may read a table that grows from end to end, and a text filter reads the rows of its batch and no others.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from batches.models import Batch, BatchCause, Cause, CauseDay, CauseOrganization, ErrorRow
from benchmarks.measure import at_most
from benchmarks.plans import nodes, plans, watched, whole_reads
from benchmarks.world import copies, forget_batches, recorded_batch, signed_in

LIMIT = 1.5
FEW = 100_000
MANY = int(os.environ.get("BENCH_ERROR_ROWS", "1000000"))
ROWS_OF_A_BATCH = 100
CAUSES, ORGANISATIONS, DAYS = 40, 1_000, 365
ROUNDS = 30
DAY = f"now() - mod(n, {DAYS}) * interval '1 day'"
LIST = "list of causes"
"""Shows 30 days of 50 causes, of which the small database has few: its plans are looked at, its time has no limit."""
FILLERS = 20_000  # causes of batches long gone by
GROWING = (Batch, BatchCause, Cause, CauseDay, CauseOrganization, ErrorRow)


def main() -> bool:
    """Print a line for each page; whether the slowest keeps to the limit and all plans are as they should be."""
    client, pattern = signed_in(), _pattern()
    times = []
    for rows in (FEW, MANY):
        _fill_up_to(rows // ROWS_OF_A_BATCH, pattern)
        pages = dict(_pages(_one_in_the_middle()))
        times.append({name: _database_time(client, address) for name, address in pages.items()})
    print(f"  {'page':<24}{FEW:>12}{MANY:>12}{'ratio':>8}")
    ratios = {name: _compared(name, *(each[name] for each in times)) for name in pages}
    scans = sum(len(list(_whole_reads(client, name, address))) for name, address in pages.items())
    return all(
        [
            at_most(LIMIT, "slowest page", max(ratio for name, ratio in ratios.items() if name != LIST)),
            at_most(0, "tables read from end to end", scans),
            at_most(
                1.0, "rows that a text filter reads, of its batch", _read_by_text_filter(client, pages["text filter"])
            ),
        ]
    )


def _pages(batch: Batch) -> Iterator[tuple[str, str]]:
    cause = batch.causes.order_by("-rows")[0]
    errors = reverse("batch-tab", args=[batch.pk, "errors"])
    yield LIST, reverse("causes")
    yield "cause", reverse("cause", args=[cause.cause_id])
    yield "batch, causes", reverse("batch", args=[batch.pk])
    yield "batch, errors", errors
    yield "errors of a cause", f"{errors}?cause={cause.cause_id}"
    yield "text filter", f"{errors}?text=nothing+says+this"
    yield "index ranges", f"{errors}?index=4,7,10-20"


# ------------------------------------------------------------------------------------------ time and plans


def _database_time(client: Client, address: str) -> float:
    """Seconds in the database for one request: the least of many, since whatever else the machine does only adds."""
    rounds = []
    for _ in range(ROUNDS):
        spent: list[float] = []
        with watched(lambda _sql, _params, seconds, spent=spent: spent.append(seconds)):  # type: ignore[misc]
            _open(client, address)
        rounds.append(sum(spent))
    return min(rounds)


def _compared(name: str, few: float, many: float) -> float:
    print(f"  {name:<24}{few * 1000:>9.2f} ms{many * 1000:>9.2f} ms{many / few:>8.2f}", flush=True)
    return many / few


def _open(client: Client, address: str) -> None:
    status = client.get(address).status_code
    if status != 200:
        raise RuntimeError(f"{address} answered {status}")


def _whole_reads(client: Client, name: str, address: str) -> Iterator[str]:
    for table in whole_reads(plans(partial(_open, client, address)), {table._meta.db_table for table in GROWING}):
        print(f"  {name} reads all of {table}", flush=True)
        yield name


def _read_by_text_filter(client: Client, address: str) -> float:
    """Error rows read, as a multiple of those of one batch."""
    read = [
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        for node in nodes(plans(partial(_open, client, address), ", ANALYZE"))
        if node.get("Relation Name") == ErrorRow._meta.db_table
    ]
    return max(read) / ROWS_OF_A_BATCH


# ------------------------------------------------------------------------------------------ the generator


def _pattern() -> Batch:
    """A recorded batch that the others are copies of; its causes become the first of 40."""
    forget_batches()
    pattern = recorded_batch(2 * ROWS_OF_A_BATCH)
    ErrorRow.objects.filter(batch=pattern, rank__gte=ROWS_OF_A_BATCH).delete()
    Batch.objects.filter(pk=pattern.pk).update(error_count=ROWS_OF_A_BATCH)
    Cause.objects.bulk_create(
        Cause(grouping=1, key=str(n).encode(), template=f"Cause {n}") for n in range(CAUSES - Cause.objects.count())
    )
    long_ago = timezone.now() - timedelta(days=2 * DAYS)
    Cause.objects.bulk_create(
        Cause(grouping=1, key=f"filler {n}".encode(), template=f"Filler {n}", batch_count=1, last_seen_at=long_ago)
        for n in range(FILLERS)
    )
    return pattern


def _fill_up_to(count: int, pattern: Batch) -> None:
    """Copies of the pattern until there are so many batches; then what their causes add up to."""
    new = count - Batch.objects.count()
    copies(Batch, pattern, new, id="gen_random_uuid()", created_at=DAY, finished_at=DAY)
    with connection.cursor() as cursor:
        cursor.execute(_ORGANISATIONS)
        cursor.execute(
            "CREATE TEMP TABLE bare AS SELECT id, row_number() OVER () AS n FROM batches_batch b"
            " WHERE NOT EXISTS (SELECT FROM batches_errorrow e WHERE e.batch_id = b.id)"
        )
        cursor.execute(_ERROR_ROWS, [pattern.pk])
        cursor.execute("DROP TABLE bare")
        for statement in _SUMS:
            cursor.execute(statement)
        for table in GROWING:
            cursor.execute(f"VACUUM ANALYZE {table._meta.db_table}")


def _one_in_the_middle() -> Batch:
    return Batch.objects.newest_first()[Batch.objects.count() // 2]


# Organisations of their own, and four causes of the 40 for each batch.
_ORGANISATIONS = f"""
    UPDATE batches_batch b SET organization_id = lpad(to_hex(mod(abs(hashtext(b.id::text)), {ORGANISATIONS}) + 1), 32, '0')::uuid
"""
_ERROR_ROWS = f"""
    INSERT INTO batches_errorrow
        (batch_id, rank, position, extra, object_name, object_index, message, invoice_number, cause_id)
    SELECT bare.id, e.rank, e.position, e.extra, e.object_name, e.object_index, e.message, e.invoice_number,
        (SELECT min(id) FROM batches_cause) + mod(bare.n * 7 + mod(e.rank, 4), {CAUSES})
    FROM batches_errorrow e, bare WHERE e.batch_id = %s
"""
_SUMS = (
    "TRUNCATE batches_batchcause, batches_causeday, batches_causeorganization",
    """
    INSERT INTO batches_batchcause
        (batch_id, cause_id, rows, objects_hit, ranges, example, organization_id, submitted_at, ended_at)
    SELECT b.id, e.cause_id, count(*), count(*), '[[1, 5], [9, 9]]', min(e.message), b.organization_id, b.submitted_at,
        b.ended_at
    FROM batches_errorrow e JOIN batches_batch b ON b.id = e.batch_id GROUP BY b.id, e.cause_id
    """,
    """
    INSERT INTO batches_causeday (cause_id, day, batches, rows)
    SELECT cause_id, ended_at::date AS day, count(*), sum(rows) FROM batches_batchcause GROUP BY cause_id, day
    """,
    """
    INSERT INTO batches_causeorganization (cause_id, organization_id, batches, rows, first_seen_at, last_seen_at)
    SELECT cause_id, organization_id, count(*), sum(rows), min(submitted_at), max(submitted_at)
    FROM batches_batchcause GROUP BY cause_id, organization_id
    """,
    """
    UPDATE batches_cause SET batch_count = batches, row_count = rows, organization_count = organizations,
        first_seen_at = first, last_seen_at = last
    FROM (
        SELECT cause_id, sum(batches) AS batches, sum(rows) AS rows, count(*) AS organizations,
            min(first_seen_at) AS first, max(last_seen_at) AS last
        FROM batches_causeorganization GROUP BY cause_id
    ) AS sums WHERE id = cause_id
    """,
)
