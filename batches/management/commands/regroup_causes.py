"""Group the error rows of all batches by the rules of this version."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Q
from tqdm import tqdm

from batches import causes, sync
from batches.fingerprint import GROUPING
from batches.models import Batch


class Command(BaseCommand):
    """May be stopped at any time: the next run goes on with what is left. One transaction for each batch."""

    help = "Group the error messages of all batches by the rules of this version, after an update has changed them."

    def handle(self, *args: Any, **options: Any) -> None:
        with_errors = Q(error_count__gt=0) | Q(failed_item_count__gt=0)
        left = Batch.objects.filter(with_errors).exclude(grouping=GROUPING)
        with tqdm(total=left.count(), unit="batch", file=self.stderr, disable=None) as bar:
            for batch_id in left.order_by("-submitted_at").values_list("pk", flat=True).iterator():
                sync.regroup_batch(batch_id)
                bar.update()
        self.stdout.write(f"Causes that others took the place of: {causes.hand_over()}.")
