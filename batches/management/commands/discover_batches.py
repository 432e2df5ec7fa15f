"""Look through Amili's lists back to a day, and follow all batches that we do not know yet."""

import time
from argparse import ArgumentTypeError
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from batches import discovery
from batches.models import Batch, Discovery, Walk
from batches.models.claims import unclaimed
from batches.words import Trouble


class Command(BaseCommand):
    """Exit status 0: all lists were looked through. 1: one was not, and the line says why; the next run goes on there."""

    help = "Follow all batches that were created since a day. A run that was stopped goes on where it was."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=_day, required=True, metavar="YYYY-MM-DD", help="the first day")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.AMILI_ORGANIZATIONS:
            raise CommandError("Set AMILI_ORGANIZATION_IDS: Amili lists batches by organisation.")
        before = Batch.objects.count()
        for organization_id, name in settings.AMILI_ORGANIZATIONS.items():
            self._backfill(organization_id, name or str(organization_id), options["since"])
        self.stdout.write(f"New batches: {Batch.objects.count() - before}.")

    def _backfill(self, organization_id: UUID, name: str, since: datetime) -> None:
        """The bar counts days: how many batches a list holds is only known at its end."""
        place = self._aimed(organization_id, since)
        days = (timezone.now() - since).days + 1
        with tqdm(total=days, desc=name, unit="day", file=self.stderr, disable=None) as bar:
            while place.complete_at is None:
                place = self._go_on(place)
                reached = place.reached_at or timezone.now()
                bar.update(max(min((timezone.now() - reached).days, days) - bar.n, 0))
            bar.update(days - bar.n)

    def _aimed(self, organization_id: UUID, since: datetime) -> Discovery:
        """A walk that was stopped goes on, unless it was to go to another day."""
        Discovery.objects.plan([organization_id], Walk.BACKFILL, timezone.now())
        walk = Discovery.objects.filter(organization_id=organization_id, walk=Walk.BACKFILL)
        to_another_day = walk.exclude(back_to=since).filter(back_to__isnull=False)
        if to_another_day.exclude(unclaimed(timezone.now())).exists():
            raise CommandError("Another run of this command goes back to another day: wait for its end, or stop it.")
        to_another_day.update(started_at=None)
        walk.update(back_to=since, complete_at=None, next_at=timezone.now(), trouble="", trouble_detail="")
        return walk.get()

    def _go_on(self, place: Discovery) -> Discovery:
        now = timezone.now()
        if Discovery.objects.claim(place.pk, now):
            place = discovery.walk_on(place.pk, claimed_at=now)
        else:
            time.sleep(1)  # for its turn, or for another run of this command
            place.refresh_from_db()
        if place.trouble and place.trouble != Trouble.BUSY:
            name = settings.AMILI_ORGANIZATIONS[place.organization_id] or place.organization_id
            raise CommandError(f"{name}: {place.get_trouble_display()} ({place.trouble_detail})")
        return place


def _day(text: str) -> datetime:
    try:
        return timezone.make_aware(datetime.combine(date.fromisoformat(text), datetime.min.time()))
    except ValueError:
        raise ArgumentTypeError("write the day as in 2026-01-31") from None
