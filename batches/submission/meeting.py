"""A submitted file beside the answer about its batch: who is about what, and from which number that counts."""

from dataclasses import dataclass
from functools import cached_property, partial
from uuid import UUID

from django.utils import timezone
from msgspec import Struct

from batches.models import Batch, IndexBase
from batches.submission.answered import (
    Absence,
    Fault,
    Places,
    Succeeded,
    absence_of,
    faults_of,
    mentioned_in,
    places_of,
    succeeded_of,
)
from batches.submission.base import BASES, Base, Evidence, base_of, evidence_of
from batches.submission.join import Join, joined
from batches.submission.keep import Kept
from staff.models import Person


@dataclass(frozen=True)
class Meeting:
    """The file, whether it is another, the base of its indices, what is remembered of that, and the join."""

    kept: Kept
    facts: bytes  # the digest of the answer that this is about
    grouping: int  # by which version its error rows were grouped
    absence: Absence
    base: Base
    remembered: IndexBase | None
    join: Join

    @property
    def is_trusted(self) -> bool:
        """Whether anything may be made of it to be sent: not of what is another file by all that can be told."""
        return not self.absence and not self.base.fits_neither


class _Weighed(Struct, frozen=True):
    absence: Absence
    evidence: list[Evidence]


def meet(batch: Batch, kept: Kept) -> Meeting:
    """Read from what was found out before, unless the answer or the causes of its error rows have changed since."""
    sides, facts, grouping = _Sides(batch, kept), bytes(batch.facts_digest), batch.grouping
    answer = f"{facts.hex()} {grouping}"
    weighed = kept.derived(f"weighed {answer}", _Weighed, sides.weighed)
    remembered = _remembered(batch.organization_id)
    base = base_of(weighed.evidence, kept.choice, remembered.base if remembered else None)
    join = kept.derived(f"joined {answer} {base.value} {base.is_known}", Join, partial(sides.joined, base))
    return Meeting(kept, facts, grouping, weighed.absence, base, remembered, join)


def choose(meeting: Meeting, base: int, organization_id: UUID | None, person: Person) -> None:
    """Count from there for as long as the file is kept; as was found is no choice, and takes an earlier one back.

    Only what this file does not speak against holds for the organisation's next ones too.
    """
    found = meeting.base.found
    meeting.kept.choose(None if base == found else base)
    if meeting.is_trusted and found in (None, base):
        remember(organization_id, base, person)


def learn(meeting: Meeting, organization_id: UUID | None) -> IndexBase | None:
    """Remember what a file has shown, for the next one that shows nothing. Gives what it takes the place of, if anything."""
    known, found = meeting.remembered, meeting.base.found
    if found is None or not meeting.is_trusted or (known and known.base == found):
        return None
    remember(organization_id, found, None)
    return known


def remember(organization_id: UUID | None, base: int, person: Person | None) -> None:
    """For the organisation's next files; without a person it was concluded from a file."""
    if organization_id:
        decided = {"base": base, "decided_by": person, "decided_at": timezone.now()}
        IndexBase.objects.update_or_create(pk=organization_id, defaults=decided)


def _remembered(organization_id: UUID | None) -> IndexBase | None:
    if organization_id is None:
        return None
    return IndexBase.objects.filter(pk=organization_id).select_related("decided_by").first()


class _Sides:
    """Both sides, read only if they are asked for."""

    def __init__(self, batch: Batch, kept: Kept) -> None:
        self._batch, self._kept = batch, kept

    def weighed(self) -> _Weighed:
        faults, succeeded, (numbers, ids) = self._faults, self._succeeded, self._kept.names
        absence = absence_of(faults, succeeded, numbers, ids)
        return _Weighed(absence, evidence_of(faults, numbers, self._places, succeeded))

    def joined(self, base: Base) -> Join:
        # From wherever the ledger's responses may count, lest what went through be taken for never mentioned.
        bases = [base.value] if base.is_known else BASES
        mentioned = {index - each for index in mentioned_in(self._batch) for each in bases}
        return joined(self._faults, self._succeeded, *self._kept.names, self._places, base.value, mentioned)

    @cached_property
    def _faults(self) -> list[Fault]:
        return faults_of(self._batch)

    @cached_property
    def _succeeded(self) -> Succeeded:
        return succeeded_of(self._batch)

    @cached_property
    def _places(self) -> Places:
        return places_of(self._kept.names[0])
