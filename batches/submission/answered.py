"""What the answer about a batch says of its objects, as the join needs it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db.models.functions import Left

from batches.models import Batch

_READ = 1_000  # characters of a message in which an invoice number is looked for


class Fault(NamedTuple):
    """An error row."""

    rank: int
    object_index: int | None
    number: str  # of the invoice, where it names one
    cause: int | None
    message: str  # its beginning


class Succeeded(NamedTuple):
    """The invoice numbers and IDs of what went through, and whether every item of it names one."""

    numbers: frozenset[str]
    ids: frozenset[str]
    all_numbers: bool
    all_ids: bool


class Places(NamedTuple):
    """Where in a file each invoice number stands; those that stand in it once."""

    of_number: Mapping[str, int]
    size: int


def faults_of(batch: Batch) -> list[Fault]:
    """All error rows, in their order."""
    rows = batch.errors.order_by("rank").annotate(beginning=Left("message", _READ))
    return [Fault(*row) for row in rows.values_list("rank", "object_index", "invoice_number", "cause_id", "beginning")]


def succeeded_of(batch: Batch) -> Succeeded:
    """What went through."""
    rows = list(batch.succeeded.values_list("invoice_number", "invoice_id"))
    numbers, ids = frozenset(number for number, _ in rows), frozenset(each for _, each in rows)
    return Succeeded(numbers - {""}, ids - {""}, "" not in numbers, "" not in ids)


def places_of(numbers: Sequence[str]) -> Places:
    """Numbers that stand in a file twice tell nothing of which object is meant."""
    places = {number: place for place, number in enumerate(numbers)}
    if len(places) < len(numbers):
        seen, twice = set[str](), set[str]()
        for number in numbers:
            (twice if number in seen else seen).add(number)
        places = {number: place for number, place in places.items() if number not in twice}
    places.pop("", None)
    return Places(places, len(numbers))
