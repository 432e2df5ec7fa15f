"""Asking about a batch of 1 000 rows of which nothing has changed, beyond the same HTTP request alone.

Ours is what a worker does with a message: claim the batch, wait for its turn, ask, count the request, compare the answer
with the last one, plan the next question. The request alone is one of `requests` over a connection that stays open, with
the same headers. Both ask an upstream that answers at once.
"""

from functools import partial
from statistics import median

import requests
from django.conf import settings

from batches.models import Batch
from batches.tasks import refresh_batch
from benchmarks.amili import about_a_batch
from benchmarks.measure import at_most, seconds
from benchmarks.world import asked_here, forget_batches, running_batches, template

ROWS = 1000
LIMIT = 2.0  # milliseconds
ROUNDS = 500


def main() -> bool:
    """Print what it takes beyond the request; whether that keeps to the limit."""
    forget_batches()
    running_batches(ROUNDS, ROWS)
    ids = list(Batch.objects.values_list("pk", flat=True))
    with asked_here(partial(about_a_batch, template(ROWS, 0, False)), latency=0) as url, requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {settings.AMILI_TOKEN}"
        rounds = [(_ask(session, f"{url}/batches/{pk}"), seconds(partial(refresh_batch, str(pk)))) for pk in ids]
    if set(Batch.objects.values_list("revision", "trouble")) != {(1, "")}:
        raise RuntimeError("Not all batches were confirmed.")
    bare, ours = (median(times) * 1000 for times in zip(*rounds, strict=True))
    print(f"  request alone {bare:.2f} ms, ours with the request {ours:.2f} ms")
    return at_most(LIMIT, "our own work", ours - bare, " ms")


def _ask(session: requests.Session, url: str) -> float:
    return seconds(lambda: session.get(url, timeout=5).content)
