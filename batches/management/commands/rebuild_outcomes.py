"""Count all batches anew, by the day on which they finished."""

from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from batches import sums, tally


class Command(BaseCommand):
    """May be stopped and run again at any time: one transaction for each month, beside everything else that goes on."""

    help = "Count the outcomes of each day anew from the batches, such as after another TIME_ZONE."

    def handle(self, *args: Any, **options: Any) -> None:
        months = tally.months()
        for month in tqdm(months, unit="month", file=self.stderr, disable=None):
            tally.recount(month)
            sums.recount(month)
        self.stdout.write(f"Months counted: {len(months)}.")
