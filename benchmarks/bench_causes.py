"""Finding the causes of 100 000 error messages of forty kinds, against recording the answer that holds them.

Recording does it too, so the figure is the share of the recording that goes into reading the messages, grouping them and
making the causes. No cause is known before, every message has values of its own, and each round has other ones.
"""

import json
from functools import partial
from itertools import count
from random import Random
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from batches import causes, sync
from batches.amili.payload import read_batch
from batches.amili.transport import Reply
from batches.facts import Question
from batches.models import BatchCause, Cause
from benchmarks.measure import at_most, compare, seconds
from benchmarks.messages import TEMPLATES, message_of
from benchmarks.world import followed_batch, forget_batches
from sandbox.rows import CREDITORS

ROWS = 100_000
ROUNDS = 5
SHARE = 0.25

_seeds = count()


def main() -> bool:
    """Count the causes, which must be as many as there are kinds; and measure what it takes to find them."""
    recording, grouping, ratio = compare(ROUNDS, _record, _group)
    print(f"  recording {recording:.2f} s, of which causes {grouping:.2f} s")
    return all([_are_all_apart(), at_most(SHARE, "causes, share of recording", ratio)])


def _record() -> float:
    """Seconds to record an answer."""
    batch_id, body = _prepared()
    return seconds(partial(sync.record, batch_id, Reply(200, body), Question(timezone.now())))


def _group() -> float:
    """Seconds to find the causes of another answer's messages, and to make them."""
    batch_id, body = _prepared()
    rows = read_batch(body, batch_id).errors
    with transaction.atomic():
        return seconds(partial(causes.group, rows))


def _prepared() -> tuple[UUID, bytes]:
    """A followed batch and its answer, in a database without batches and causes."""
    forget_batches()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {Cause._meta.db_table} CASCADE")
    batch_id = followed_batch().pk
    return batch_id, _answer(batch_id)


def _answer(batch_id: UUID) -> bytes:
    random = Random(next(_seeds))
    errors = [
        {"objectname": "Invoice", "objectindex": row, "message": message_of(random.choice(TEMPLATES), random)}
        for row in range(ROWS)
    ]
    data = {
        "batchId": str(batch_id),
        "type": "INVOICE",
        "status": {"statuscode": 0, "errors": errors, "responses": []},
        "createdAt": "2026-03-02T08:00:00Z",
        "finishedAt": "2026-03-02T08:05:00Z",
        "organizationId": str(CREDITORS[0].id),
        "succeeded": [],
        "failed": [],
    }
    return json.dumps({"summary": {"status": "SUCCESS"}, "data": data}, separators=(",", ":")).encode()


def _are_all_apart() -> bool:
    """Whether forty kinds, some of which differ in a short code alone, are forty causes of one recorded batch."""
    _record()
    found = BatchCause.objects.count()
    print(f"  causes: {found}, exactly {len(TEMPLATES)}: {'ok' if found == len(TEMPLATES) else 'MISSED'}", flush=True)
    return found == len(TEMPLATES)
