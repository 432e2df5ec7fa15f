"""What the answer about a batch says of its objects, as the join needs it."""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from django.db.models.functions import Left
from msgspec import Struct

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


class Absence(Struct, frozen=True):
    """How many invoices the answer names, if none of them stands in a file that could hold them."""

    succeeded: int = 0
    failed: int = 0

    def __bool__(self) -> bool:
        return self.succeeded > 0 or self.failed > 0


class Places(NamedTuple):
    """Where in a file each invoice number stands; those that stand in it once, and those that do so more often."""

    of_number: Mapping[str, int]
    repeated: Set[str]
    size: int

    def settle(self, number: str) -> bool:
        """Whether the file itself tells where an invoice of this number stands in it, be it nowhere."""
        return number != "" and number not in self.repeated and bool(self.of_number or self.repeated)


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
    places, repeated = {number: place for place, number in enumerate(numbers)}, set[str]()
    if len(places) < len(numbers):
        seen = set[str]()
        for number in numbers:
            (repeated if number in seen else seen).add(number)
        places = {number: place for number, place in places.items() if number not in repeated}
    places.pop("", None)
    return Places(places, repeated - {""}, len(numbers))


def absence_of(faults: Sequence[Fault], succeeded: Succeeded, numbers: Sequence[str], ids: Sequence[str]) -> Absence:
    """Whether the file shares no invoice with the answer, as another file than the one that was sent."""
    failed = {fault.number for fault in faults} - {""}
    sides = [(succeeded.numbers | failed, numbers), (succeeded.ids, ids)]
    comparable = [(known, names) for known, names in sides if known and any(names)]
    if not comparable or any(not known.isdisjoint(names) for known, names in comparable):
        return Absence()
    return Absence(max(len(succeeded.numbers), len(succeeded.ids)), len(failed))
