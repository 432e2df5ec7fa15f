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
from sandbox.rows import CREDITORS, PUNCTUAL, Creditor

__all__ = ["DEMO", "FORBIDDEN_ORGANISATION", "ORGANISATIONS", "SHOWN", "find", "history", "recent"]

ORGANISATIONS: dict[UUID, str] = {creditor.id: creditor.name for creditor in (*CREDITORS, PUNCTUAL)}

FORBIDDEN_ORGANISATION = UUID("c0ffee00-4030-4403-8403-000000000403")
"""Exists, but is nobody's that may use the sandbox: asking about it is answered with 403."""

SEED = 1
MINUTES_LISTED = 40 * 24 * 60
ALL_LISTED = 3 * 60
"""Minutes back from now of which every batch is listed; of those before, the working days have many and the others few."""

FORGETS = 0.15


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
    """The ordinary batches of the last weeks, newest first; the demo batches stand outside of time."""
    newest = _minute(now)
    listed = (minute for minute in range(newest, newest - MINUTES_LISTED, -1) if _is_listed(minute, newest))
    batches = (_born_in(minute, seed) for minute in listed)
    return (batch for batch in batches if batch.born <= now)


def recent(now: datetime, count: int, seed: int = SEED) -> list[Batch]:
    """The newest ordinary batches, newest first."""
    return list(islice(history(now, seed), count))


def _is_listed(minute: int, newest: int) -> bool:
    at = _time(minute)
    is_busy = at.weekday() < 5 and 6 <= at.hour < 17
    return newest - minute < ALL_LISTED or minute % (4 if is_busy else 60) == 0


def _creditor(minute: int, random: Random) -> Creditor:
    creditor = random.choice(CREDITORS)
    at = _time(minute)
    is_its_time = at.weekday() < 5 and (at.hour, at.minute) == (7, 0)
    return PUNCTUAL if is_its_time and Random(minute).random() >= FORGETS else creditor


def _time(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


@lru_cache(maxsize=20_000)
def _born_in(minute: int, seed: int) -> Batch:
    batch_id = _id_of(minute, seed)
    random = Random(batch_id.int)
    objects = random.randint(20, 400) if random.random() < 0.97 else 5_000
    return Batch(
        id=batch_id,
        creditor=_creditor(minute, random),
        objects=objects,
        failed=_failed(random, objects),
        born=_time(minute) + timedelta(milliseconds=random.randrange(5_000)),
        queued=_queued(random),
    )


def _queued(random: Random) -> timedelta:
    """Most take less than two minutes, and a few so long that people begin to ask."""
    seconds = random.randint(8_000, 90_000) / 1000
    fate = random.random()
    return timedelta(seconds=seconds * (40 if fate < 0.005 else 5 if fate < 0.03 else 1))


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
