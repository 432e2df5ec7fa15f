"""From which number object indices count. Amili documents it nowhere, so it is found in the file, or said to be a guess."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from msgspec import Struct

from batches.submission.answered import Fault, Places, Succeeded

BASES = (0, 1)

_WORD = re.compile(r"[^\s\"'“”«»()\[\]{},;:=<>]+")
_LEAST = 4  # characters of an invoice number that a message may name without its being chance


class Evidence(Struct, frozen=True):
    """What becomes of the failed indices if they count from `base`."""

    base: int
    succeeded: int = 0  # indices that would point at an object that succeeded
    outside: int = 0  # indices that would point at none
    named: int = 0  # error rows that name the very invoice that they would point at

    @property
    def against(self) -> int:
        return self.succeeded + self.outside


class How(Enum):
    """How a base was come by."""

    NEEDLESS = "needless"
    FOUND = "found"
    CHOSEN = "chosen"
    REMEMBERED = "remembered"
    ASSUMED = "assumed"


@dataclass(frozen=True)
class Base:
    """From where we count, how we came by it, and what speaks for and against each."""

    value: int
    how: How
    evidence: Sequence[Evidence]

    @property
    def found(self) -> int | None:
        """What the evidence says, whatever is used."""
        return concluded(self.evidence)

    @property
    def is_known(self) -> bool:
        """Whether there is more to it than a guess."""
        return self.how in {How.FOUND, How.CHOSEN, How.REMEMBERED}

    @property
    def fits_neither(self) -> bool:
        """Whether each is contradicted, as by another file than the one that was sent."""
        return bool(self.evidence) and all(each.against for each in self.evidence)

    @property
    def contradicted(self) -> bool:
        """Whether the one that is used is."""
        return any(each.against for each in self.evidence if each.base == self.value)


def evidence_of(
    faults: Sequence[Fault], numbers: Sequence[str], places: Places, succeeded: Succeeded
) -> list[Evidence]:
    """For each base; none where no error row has an index."""
    indexed = [fault for fault in faults if fault.object_index is not None]
    if all(places.settle(fault.number) for fault in indexed):
        return []
    # A stray index, such as -1 for the whole batch, says nothing of the base; where all are, it is another file.
    within = [fault for fault in indexed if _is_within(fault, places)] or indexed
    return [_evidence(base, within, numbers, places, succeeded) for base in BASES]


def _is_within(fault: Fault, places: Places) -> bool:
    return any(0 <= (fault.object_index or 0) - base < places.size for base in BASES)


def concluded(evidence: Sequence[Evidence]) -> int | None:
    """The base that nothing speaks against if something does against the other; else the one that something speaks for."""
    fitting = [each for each in evidence if not each.against]
    if len(fitting) == 1:
        return fitting[0].base
    confirmed = [each for each in fitting if each.named]
    return confirmed[0].base if len(confirmed) == 1 else None


def base_of(evidence: Sequence[Evidence], chosen: int | None, remembered: int | None) -> Base:
    """A person's choice before the evidence, the evidence before what is remembered, and that before a guess."""
    found = concluded(evidence)
    if not evidence:
        return Base(0, How.NEEDLESS, evidence)
    if chosen is not None and chosen != found:
        return Base(chosen, How.CHOSEN, evidence)
    if found is not None:
        return Base(found, How.FOUND, evidence)
    return Base(remembered or 0, How.ASSUMED if remembered is None else How.REMEMBERED, evidence)


def _evidence(
    base: int, faults: Iterable[Fault], numbers: Sequence[str], places: Places, succeeded: Succeeded
) -> Evidence:
    good, outside, named = set[int](), set[int](), 0
    for fault in faults:
        place = (fault.object_index or 0) - base
        if not 0 <= place < places.size:
            outside.add(place)
        elif places.of_number.get(numbers[place]) == place:
            number = numbers[place]
            named += _names(fault, number)
            if number in succeeded.numbers:
                good.add(place)
    return Evidence(base, len(good), len(outside), named)


def _names(fault: Fault, number: str) -> bool:
    if fault.number:
        return fault.number == number
    # First the quick look: most messages name no invoice.
    return len(number) >= _LEAST and number in fault.message and number in _words(fault.message)


def _words(message: str) -> set[str]:
    return {word.strip(".!?") for word in _WORD.findall(message)}
