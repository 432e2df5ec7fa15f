"""What the local run does beside the product: it follows the newest invented batches, so that the dashboard lives."""

from celery import shared_task
from django.utils import timezone

from batches.tasks import follow
from batches.words import Source
from sandbox import world

NEWEST = 5


@shared_task
def follow_newest() -> None:
    """Follow the batches that the stand-in has started lately."""
    follow([batch.id for batch in world.recent(timezone.now(), NEWEST)], Source.CHECK)
