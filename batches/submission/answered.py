"""What the answer about a batch says of its objects, as the join needs it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from django.db.models.functions import Left
from msgspec import Struct

from batches.amili.envelope import data_of
from batches.amili.fields import Fields
from batches.models import Batch
from batches.words import Doubt

_READ = 1_000  # characters of a message in which an invoice number is looked for
# Succeeded invoices that may be missing: Amili may write a number in another way, or somebody may have corrected it since.
# Where more are, rows were taken out, so that the indices no longer fit, or it is another file.
_FEW = 3
# Where an answer that lists nothing as succeeded contradicts itself.
_EMPTY_LIST_DOUBTS = {Doubt.PARTIAL_WITHOUT_SUCCESSES, Doubt.SUCCESS_WITH_FAILURES, Doubt.FINISHED_WITHOUT_OBJECTS}


class Fault(NamedTuple):
    """An error row."""

    rank: int
    object_index: int | None
    number: str  # of the invoice, where it names one
    cause: int | None
    message: str  # its beginning


class Silence(Enum):
    """Why nobody can tell which objects the answer never mentions."""

    UNFINISHED = "unfinished"
    UNLISTED = "unlisted"  # it has no list of what succeeded, or one that cannot be true
    UNNAMED = "unnamed"  # list and file do not both name every invoice


class Succeeded(NamedTuple):
    """How often what went through names each invoice number and ID, and whether every item of it names one."""

    numbers: Mapping[str, int]
    ids: Mapping[str, int]
    all_numbers: bool
    all_ids: bool
    silence: Silence | None  # why this is not all that went through


class Absence(Struct, frozen=True):
    """Invoices that the answer names and the file lacks, which was the one that was sent only if these are few."""

    missing: int  # of those that succeeded
    succeeded: int  # as far as they can be compared
    failed: int  # those that errors name, if none of them is there
    is_any_met: bool  # of all that can be compared

    def __bool__(self) -> bool:
        """Whether it is another file."""
        return self.missing > max(1, min(_FEW, self.succeeded // 2)) or not self.is_any_met

    @property
    def is_minor(self) -> bool:
        """Whether most of what succeeded is there."""
        return self.missing * 2 < self.succeeded


class Places(NamedTuple):
    """Where in a file each invoice number stands that does so once, and how often each other does."""

    of_number: Mapping[str, int]
    repeated: Mapping[str, int]
    size: int

    def times(self, number: str) -> int:
        """How often a number of this file stands in it."""
        return self.repeated.get(number, 1)

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
    numbers, ids = Counter(number for number, _ in rows), Counter(each for _, each in rows)
    unnamed = numbers.pop("", 0), ids.pop("", 0)
    return Succeeded(numbers, ids, not unnamed[0], not unnamed[1], _silence(batch, is_empty=not rows))


def mentioned_in(batch: Batch) -> set[int]:
    """The indices of the ledger's responses, which tell of objects that other lists may leave out."""
    indices = batch.responses.values_list("object_index", flat=True)
    return {index for index in indices if index is not None}


def places_of(numbers: Sequence[str]) -> Places:
    """Numbers that stand in a file twice tell nothing of which object is meant."""
    places, repeated = {number: place for place, number in enumerate(numbers)}, dict[str, int]()
    if len(places) < len(numbers):
        repeated = {number: times for number, times in Counter(numbers).items() if times > 1 and number}
        places = {number: place for number, place in places.items() if number not in repeated}
    places.pop("", None)
    return Places(places, repeated, len(numbers))


def absence_of(faults: Sequence[Fault], succeeded: Succeeded, numbers: Sequence[str], ids: Sequence[str]) -> Absence:
    """What the file lacks of what the answer names, by that kind of name of which it lacks less."""
    named = ({fault.number for fault in faults} - {""}) if any(numbers) else set[str]()
    is_named_met = not named.isdisjoint(numbers)
    sides = [(known, names) for known, names in ((succeeded.numbers, numbers), (succeeded.ids, ids)) if any(names)]
    counts = [(len(known.keys() - names), len(known)) for known, names in sides if known]
    missing, count = min(counts, default=(0, 0))
    is_any_met = is_named_met or missing < count or not (named or count)
    return Absence(missing, count, 0 if is_named_met else len(named), is_any_met)


def _silence(batch: Batch, *, is_empty: bool) -> Silence | None:
    if not batch.is_finished:
        return Silence.UNFINISHED
    if "succeeded" in batch.odd_fields or (is_empty and not _lists_none(batch)):
        return Silence.UNLISTED
    return None


def _lists_none(batch: Batch) -> bool:
    """Whether the answer has an empty list of what succeeded; none at all, or null, says nothing."""
    if _EMPTY_LIST_DOUBTS.intersection(batch.doubts):
        return False
    answer = batch.answers.filter(digest=batch.digest).first()
    return answer is not None and not Fields(data_of(answer.body)).absent("succeeded")
