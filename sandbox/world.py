"""The invented world: a pure function of a seed and the time, so that a restart finds the same batches."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from random import Random
from uuid import UUID

from sandbox.batch import Batch
from sandbox.demo import DEMO, DEMO_BATCHES, SHOWN
from sandbox.rows import CREDITORS

__all__ = ["DEMO", "FORBIDDEN_ORGANISATION", "ORGANISATIONS", "SHOWN", "find", "history", "recent"]

ORGANISATIONS: dict[UUID, str] = {creditor.id: creditor.name for creditor in CREDITORS}

FORBIDDEN_ORGANISATION = UUID("c0ffee00-4030-4403-8403-000000000403")
"""Exists, but is nobody's that may use the sandbox: asking about it is answered with 403."""

SEED = 1
MINUTES_LISTED = 3 * 24 * 60


def find(batch_id: UUID, now: datetime, seed: int = SEED) -> Batch | None:
    """The batch with this ID, if it has been born."""
    if batch_id in DEMO_BATCHES:
        return DEMO_BATCHES[batch_id]
    minute = int.from_bytes(batch_id.bytes[12:]) ^ _mask(batch_id.bytes[:12])
    if _id_of(minute, seed) != batch_id or minute > _minute(now):
        return None
    batch = _born_in(minute, seed)
    return batch if batch.born <= now else None


def history(now: datetime, seed: int = SEED) -> Iterator[Batch]:
    """The ordinary batches of the last three days, newest first; the demo batches stand outside of time."""
    newest = _minute(now)
    batches = (_born_in(minute, seed) for minute in range(newest, newest - MINUTES_LISTED, -1))
    return (batch for batch in batches if batch.born <= now)


def recent(now: datetime, count: int, seed: int = SEED) -> list[Batch]:
    """The newest ordinary batches, newest first."""
    return list(islice(history(now, seed), count))


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


@lru_cache(maxsize=2 * MINUTES_LISTED)
def _born_in(minute: int, seed: int) -> Batch:
    batch_id = _id_of(minute, seed)
    random = Random(batch_id.int)
    objects = random.randint(20, 400) if random.random() < 0.97 else 5_000
    return Batch(
        id=batch_id,
        creditor=random.choice(CREDITORS),
        objects=objects,
        failed=_failed(random, objects),
        born=datetime.fromtimestamp(minute * 60, UTC) + timedelta(milliseconds=random.randrange(5_000)),
        queued=timedelta(milliseconds=random.randint(8_000, 90_000)),
    )


def _failed(random: Random, objects: int) -> int:
    fate = random.random()
    if fate < 0.60:
        return 0
    return random.randint(1, objects // 4) if fate < 0.88 else objects


def _id_of(minute: int, seed: int) -> UUID:
    """Looks random, and can be read back: the minute stands in the last four bytes, masked by the first twelve."""
    digest = blake2b(f"{seed} {minute}".encode(), digest_size=12).digest()
    head = UUID(bytes=digest + bytes(4), version=4).bytes[:12]
    return UUID(bytes=head + (minute ^ _mask(head)).to_bytes(4))


def _mask(head: bytes) -> int:
    return int.from_bytes(blake2b(head, digest_size=4).digest())
