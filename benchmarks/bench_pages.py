"""Every page of a batch of 100 000 rows, against the same page of a batch of 100.

Both batches hold as many errors as succeeded invoices, so that 100 rows fill one page of either list, and the pages
compared show equally many rows. The small batch is asked for its one page with the same words as the large one for its
first, a middle or the last: by key, forwards and backwards. Each request goes through all middleware, signed in.
"""

from collections.abc import Iterator
from functools import partial

from django.db import connection
from django.test import Client
from django.urls import reverse

from batches.models import Batch, ErrorRow, SucceededItem
from batches.views.paging import PER_PAGE
from benchmarks.measure import at_most, compare, seconds
from benchmarks.world import recorded_batch, signed_in

LIMIT = 1.3
ROUNDS = 25


def main() -> bool:
    """Print a line for each page; whether the slowest keeps to the limit."""
    client, small, large = signed_in(), recorded_batch(100), recorded_batch(100_000)
    with connection.cursor() as cursor:  # as PostgreSQL does by itself a minute later
        cursor.execute(f"ANALYZE {ErrorRow._meta.db_table}, {SucceededItem._meta.db_table}")
    pages = list(zip(_pages(small), _pages(large), strict=True))
    print(f"  {'page':<22}{'100 rows':>10}{'100 000':>10}{'ratio':>8}")
    return at_most(LIMIT, "slowest page", max(_compare(client, *both) for both in pages))


def _pages(batch: Batch) -> Iterator[tuple[str, str]]:
    """The name and the address of each page."""
    yield "batch", reverse("batch", args=[batch.pk])
    for tab, rows in (("errors", batch.error_count), ("succeeded", batch.succeeded_count)):
        address = reverse("batch-tab", args=[batch.pk, tab])
        yield f"{tab}, first", address
        yield f"{tab}, middle", f"{address}?from={(rows - PER_PAGE) // 2}"
        yield f"{tab}, last", f"{address}?from={rows - PER_PAGE}"
        yield f"{tab}, backwards", f"{address}?before={rows}"
    errors = reverse("batch-tab", args=[batch.pk, "errors"])
    index = batch.errors.get(rank=batch.error_count // 2).object_index
    yield "errors, one index", f"{errors}?index={index}"
    for tab in ("timeline", "answer"):
        yield tab, reverse("batch-tab", args=[batch.pk, tab])


def _compare(client: Client, small: tuple[str, str], large: tuple[str, str]) -> float:
    """The ratio of the two times; the first requests compile the templates, and do not count."""
    name = small[0]
    base, ours = (partial(seconds, partial(_open, client, address)) for _, address in (small, large))
    compare(2, base, ours)
    of_small, of_large, ratio = compare(ROUNDS, base, ours)
    print(f"  {name:<22}{of_small * 1000:>7.1f} ms{of_large * 1000:>7.1f} ms{ratio:>8.2f}", flush=True)
    return ratio


def _open(client: Client, address: str) -> None:
    status = client.get(address).status_code
    if status != 200:
        raise RuntimeError(f"{address} answered {status}")
