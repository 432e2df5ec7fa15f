"""Deaths in mid-work, one after the other, and how long it took until all was whole again."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Self
from uuid import UUID

from tests.faults.stack import Stack
from tests.faults.truth import is_settled
from tests.stack import until


class Crashes:
    """What was lost amid which records; of two giants, seconds from the death of who wrote them until they were whole."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.batches = stack, list[UUID]()
        self.cut_off: dict[str, bool] = {}
        self.giants: dict[str, UUID] = {}
        self.died_at: dict[str, float] = {}
        self.whole_after: dict[str, float] = {}

    def happen(self) -> Self:
        self._lose_postgres()
        self._lose_child()
        self._lose_worker()
        for who, giant in self.giants.items():
            until(partial(is_settled, self.stack, [giant]), 120)
            self.whole_after[who] = time.monotonic() - self.died_at[who]
        return self

    def _lose_postgres(self) -> None:
        for how, lose in (("restart", self.stack.restart_postgres), ("crash", self.stack.crash_postgres)):
            failures = self._failures()
            begun = self.stack.begin(20)
            until(lambda: self.stack.query("SELECT 1 FROM batches_batch WHERE claimed_until > now()"), 30)
            lose()
            after = self.stack.begin(1)
            until(partial(is_settled, self.stack, after), 60)
            self.cut_off[how] = self._failures() > failures
            self.batches += begun + after

    def _failures(self) -> int:
        """How many questions have come to nothing for want of the database."""
        return self.stack.logs["worker"].read_text().count("raised unexpected: OperationalError")

    def _lose_child(self) -> None:
        with self._giant_amid_record("child") as giant:
            os.kill(self.stack.child_at_work_on(giant), signal.SIGKILL)

    def _lose_worker(self) -> None:
        with self._giant_amid_record("worker"):
            self.stack.kill_worker()
        self.stack.start_worker()

    @contextmanager
    def _giant_amid_record(self, who: str) -> Iterator[UUID]:
        """A batch of which half is written; the block is to end whoever writes."""
        giant = self.stack.amili.start(objects=100_000, queued_seconds=0)
        with self.stack.standing_in_the_way(giant, 50_000):
            self.stack.ring(giant)
            until(lambda: self.stack.is_amid_record(giant), 60)
            yield giant
            self.giants[who], self.died_at[who] = giant, time.monotonic()
