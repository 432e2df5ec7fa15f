"""Batches started on request: the only thing that the sandbox remembers, and a restart forgets them."""

import threading
from collections import deque
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sandbox.batch import Batch
from sandbox.faults import NAMED, WELL, Fault
from sandbox.orders import Order, OrderError, number, one_of
from sandbox.rows import CREDITORS

MOST_KEPT = 1_000
MOST_OBJECTS = 100_000
MOST_FAULTS = 1_000
LONGEST_QUEUE = 86_400.0


class Fresh:
    """The batches that somebody asked for, each with the misbehaviour that comes before it answers properly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: dict[UUID, Batch] = {}
        self._faults: dict[UUID, deque[Fault]] = {}

    def start(self, order: Order, now: datetime) -> Batch:
        """Starts the batch that the order describes; whatever it leaves out has a default."""
        batch, faults = _made_to(order, now), deque(_faults(order.get("faults", [])))
        with self._lock:
            if len(self._batches) >= MOST_KEPT:
                oldest = next(iter(self._batches))
                del self._batches[oldest], self._faults[oldest]
            self._batches[batch.id], self._faults[batch.id] = batch, faults
        return batch

    def find(self, batch_id: UUID) -> Batch | None:
        """The batch started under this ID."""
        return self._batches.get(batch_id)

    def newest_first(self) -> list[Batch]:
        """All of them."""
        with self._lock:
            return list(reversed(self._batches.values()))

    def next_fault(self, batch_id: UUID) -> Fault | None:
        """Takes the next misbehaviour ordered for the batch, if any is left."""
        with self._lock:
            waiting = self._faults.get(batch_id)
            return waiting.popleft() if waiting else None


def _made_to(order: Order, now: datetime) -> Batch:
    generation = one_of(order, "generation", ("C", "A"), "C")
    creditors = [creditor for creditor in CREDITORS if creditor.generation == generation]
    organisation = one_of(order, "organizationId", [str(each.id) for each in creditors], str(creditors[0].id))
    objects = int(number(order, "objects", 200, least=2, most=MOST_OBJECTS))
    failed = {"partial": max(1, objects // 8), "success": 0, "failed": objects}
    return Batch(
        id=uuid4(),
        creditor=next(creditor for creditor in creditors if str(creditor.id) == organisation),
        objects=objects,
        failed=failed[one_of(order, "fate", failed, "partial")],
        born=now,
        queued=timedelta(seconds=number(order, "queued_seconds", 6, least=0, most=LONGEST_QUEUE)),
    )


def _faults(wanted: object) -> list[Fault]:
    if not isinstance(wanted, list) or len(wanted) > MOST_FAULTS:
        raise OrderError(f"faults must be a list of at most {MOST_FAULTS}")
    return [_fault(one) for one in wanted]


def _fault(wanted: object) -> Fault:
    match wanted:
        case int() if 400 <= wanted <= 599:
            return wanted
        case str() if wanted in (WELL, *NAMED):
            return wanted
    raise OrderError(f"a fault is an error status or one of {', '.join((WELL, *NAMED))}")
