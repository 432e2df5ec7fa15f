"""How many running batches a worker keeps current, against how many a bare loop fetches with as many threads.

The worker is Celery's with a beat beside it, in processes of their own as `manage.py up` starts them. There are more
batches than it can ask about, and all are due. The upstream answers after 50 ms, always the same: 200 rows, so small
that two processors carry the upstream, the bare loop and the worker without being what limits any of them.

Then the ordinary limit of requests a second: the oldest check of any batch may not be much older than that limit makes it.
A fifth of 1 000 batches shows in a fifth of the time what 1 000 would.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db.models import Min, Sum
from django.utils import timezone

from batches.models import Batch
from benchmarks.amili import LATENCY, about_a_batch, amili
from benchmarks.measure import at_least, at_most, compare
from benchmarks.world import forget_batches, running_batches, template
from sandbox.processes import Processes

LIMIT = 0.8
THREADS = 4
ROUNDS = 3
SECONDS = 5.0  # of each round
ROWS = 200
WARM = 20  # checks before the figure counts
PATIENCE = 30  # seconds for the worker to start
ALONE = ("--without-gossip", "--without-mingle")

PACE = 20  # requests a second by default
KEPT = 200
TIMES_PACE = 1.3


def main() -> bool:
    """Print both figures; whether the worker keeps up, and with the ordinary limit all batches stay current."""
    with amili(partial(about_a_batch, template(ROWS, 0, False)), LATENCY) as url:
        return all([_keeps_up(url), _keeps_all_current(url)])


def _keeps_up(url: str) -> bool:
    fastest = int(THREADS / LATENCY)  # a second
    forget_batches()
    running_batches(int(2 * fastest * SECONDS), ROWS)
    with _worker(url, requests_per_second=2 * fastest):
        bare, ours, ratio = compare(ROUNDS, partial(_bare, url), _kept_current)
    print(f"  bare loop {bare:.0f} a second, worker {ours:.0f} a second")
    return at_least(LIMIT, "batches kept current, times the bare loop", ratio)


def _bare(url: str) -> float:
    arguments = [url, settings.AMILI_TOKEN, str(THREADS), str(SECONDS)]
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.bare", *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return float(told.stdout)


def _kept_current() -> float:
    """Checks a second, from when they are under way. Nothing is due before and afterwards."""
    Batch.objects.update(next_check_at=timezone.now())
    begun = _checks()
    _wait_until(lambda: _checks() > begun + WARM)
    before, start = _checks(), time.monotonic()
    time.sleep(SECONDS)
    rate = (_checks() - before) / (time.monotonic() - start)
    Batch.objects.update(next_check_at=None)
    return rate


def _checks() -> int:
    """So far: each raises the revision of its batch by one."""
    return int(Batch.objects.aggregate(checks=Sum("revision"))["checks"])


def _keeps_all_current(url: str) -> bool:
    forget_batches()
    running_batches(KEPT, ROWS)
    with _worker(url, requests_per_second=PACE):
        _wait_until(lambda: _checks() >= KEPT)
        oldest = max(_oldest() for _ in range(5))
    possible = KEPT / PACE
    print(
        f"  {KEPT} batches at {PACE} requests a second: oldest check {oldest:.1f} s ago, {possible:.0f} s are possible"
    )
    return at_most(TIMES_PACE, "oldest check, times the pace that is possible", oldest / possible)


def _oldest() -> float:
    """Seconds since the check of the batch that has waited longest, a second from now."""
    time.sleep(1)
    oldest = Batch.objects.aggregate(at=Min("checked_at"))["at"]
    return float((timezone.now() - oldest).total_seconds())


# ------------------------------------------------------------------------------------------ the worker


@contextmanager
def _worker(url: str, *, requests_per_second: int) -> Iterator[None]:
    """A worker and a beat, as long as the block lasts."""
    asking = {"AMILI_API_URL": url, "AMILI_REQUESTS_PER_SECOND": str(requests_per_second)}
    var_dir = Path(settings.VAR_DIR)
    celery = ("-W", "ignore", "-m", "celery", "--quiet", "-A", "amili_dashboard")
    with Processes(var_dir, {**os.environ, **asking}, settings.BASE_DIR) as processes:
        processes.start("worker", *celery, "worker", "--concurrency", str(THREADS), "--loglevel", "WARNING", *ALONE)
        processes.start("beat", *celery, "beat", "--schedule", str(var_dir / "celerybeat"), "--loglevel", "WARNING")
        yield


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise RuntimeError("The worker does not work.")
        time.sleep(0.1)
