"""How things stand between Amili and our facts: who is away of those that keep them fresh, and since when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from batches import broker
from batches.models import Connection, Traffic
from batches.models.traffic import PULSE_LASTS
from batches.words import Trouble

START_LASTS = timedelta(seconds=30)
"""For how long after our own start a worker that is not here may be starting too."""


@dataclass(frozen=True)
class Standing:
    """Since when each of them is away; None for who is here."""

    connection: Connection
    queue: datetime | None
    worker: datetime | None
    amili: datetime | None
    cause: str = Trouble.NONE
    """What Amili did at last, while it is away."""

    @property
    def told_since(self) -> datetime | None:
        """Since when the one is away that is named: the one nearest to us, for what is beyond it is not known."""
        return self.queue or self.worker or self.amili

    @property
    def facts_from(self) -> datetime | None:
        """Since when nothing is brought up to date; None if all is well."""
        return min(filter(None, (self.queue, self.worker, self.amili)), default=None)

    @property
    def stamp(self) -> str:
        """Changes with what the banner says."""
        times = (str(int(at.timestamp())) if at else "" for at in (self.queue, self.worker, self.amili))
        return "-".join((*times, self.cause))


def standing() -> Standing:
    """One query, another while Amili is away, and a look at the queue that serves several pages."""
    now = timezone.now()
    connection = Connection.objects.as_it_stands()
    last_pulse = connection.pulse_at or settings.STARTED_AT
    is_starting = now - settings.STARTED_AT < START_LASTS
    is_worker_here = is_starting or now - last_pulse < PULSE_LASTS
    amili = connection.away_since(now)
    return Standing(
        connection,
        # A pulse comes through the queue: the last one tells all processes alike since when nothing does.
        queue=last_pulse if broker.waiting() is None else None,
        worker=None if is_worker_here else last_pulse,
        amili=amili,
        cause=_newest_trouble(amili) if amili else Trouble.NONE,
    )


def _newest_trouble(since: datetime) -> str:
    failures = Traffic.objects.filter(failed_at__gte=since).order_by("-failed_at")
    return failures.values_list("trouble", flat=True).first() or Trouble.NONE
