"""Ask Amili about one batch from a shell, through the door that the worker uses."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from batches import sync
from batches.forms import find_batch_ids
from batches.models import Batch
from batches.words import Source


class Command(BaseCommand):
    """Exit status 0: Amili answered. 1: it did not, or the batch is not there; the line says why."""

    help = "Ask Amili about a batch now, follow it from now on, and say what became of it in one line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("batch_id", help="the batch ID, or any text that holds one")

    def handle(self, *args: Any, **options: Any) -> None:
        batch = self._refresh(self._only_id(options["batch_id"]))
        if batch.trouble:
            raise CommandError(f"{batch.pk}: {batch.get_trouble_display()} ({batch.trouble_detail})")
        self.stdout.write(
            f"{batch.pk}: {batch.get_outcome_display()}, {batch.succeeded_objects} succeeded, {batch.failed_objects} failed"
        )

    def _only_id(self, text: str) -> UUID:
        found = find_batch_ids(text)
        if len(found) != 1:
            raise CommandError("Give one batch ID, such as 5579c111-9c50-47e2-af92-f16d52e63189.")
        return found[0]

    def _refresh(self, batch_id: UUID) -> Batch:
        now = timezone.now()
        Batch.objects.follow([batch_id], now, Source.COMMAND)
        Batch.objects.make_due([batch_id], now, Source.COMMAND)
        claimed = Batch.objects.claim(batch_id, now)
        if not claimed:
            raise CommandError(f"{batch_id}: a worker is asking at this moment, try again in a few seconds")
        batch = sync.refresh(claimed, asked_at=now)
        if batch.asked_at != now:
            raise CommandError(f"{batch_id}: Amili does not answer at the moment; the question is noted")
        return batch
