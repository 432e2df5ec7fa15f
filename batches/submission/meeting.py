"""A submitted file beside the answer about its batch: who is about what, and from which number that counts."""

from dataclasses import dataclass
from functools import cached_property, partial
from uuid import UUID

from msgspec import Struct

from batches.models import Batch, IndexBase
from batches.submission.answered import Fault, Places, Succeeded, faults_of, places_of, succeeded_of
from batches.submission.base import Base, Evidence, How, base_of, evidence_of
from batches.submission.join import Join, joined
from batches.submission.keep import Kept
from staff.models import Person


@dataclass(frozen=True)
class Meeting:
    """The file, the base of its indices, what is remembered of that, and the join."""

    kept: Kept
    base: Base
    remembered: IndexBase | None
    join: Join


class _Weighed(Struct, frozen=True):
    evidence: list[Evidence]


def meet(batch: Batch, kept: Kept, chosen: int | None = None) -> Meeting:
    """Read from what was found out before, unless the answer has changed since. A firm conclusion is remembered."""
    sides, facts = _Sides(batch, kept), bytes(batch.facts_digest).hex()[:16]
    evidence = kept.derived(f"evidence {facts}", _Weighed, sides.weighed).evidence
    remembered = _remembered(batch.organization_id)
    base = base_of(evidence, chosen, remembered.base if remembered else None)
    join = kept.derived(f"join {facts} {base.value}", Join, partial(sides.joined, base.value))
    return Meeting(kept, base, remembered, join)


def learn(meeting: Meeting, organization_id: UUID | None) -> None:
    """Remember what a file has shown, for the next one that shows nothing."""
    known = meeting.remembered and meeting.remembered.base == meeting.base.value
    if meeting.base.how == How.FOUND and not known:
        remember(organization_id, meeting.base.value, None)


def remember(organization_id: UUID | None, base: int, person: Person | None) -> None:
    """For the organisation's next files; without a person it was concluded from a file."""
    if organization_id:
        IndexBase.objects.update_or_create(pk=organization_id, defaults={"base": base, "decided_by": person})


def _remembered(organization_id: UUID | None) -> IndexBase | None:
    if organization_id is None:
        return None
    return IndexBase.objects.filter(pk=organization_id).select_related("decided_by").first()


class _Sides:
    """Both sides, read only if they are asked for."""

    def __init__(self, batch: Batch, kept: Kept) -> None:
        self._batch, self._kept = batch, kept

    def weighed(self) -> _Weighed:
        return _Weighed(evidence_of(self._faults, self._kept.names[0], self._places, self._succeeded))

    def joined(self, base: int) -> Join:
        return joined(self._faults, self._succeeded, *self._kept.names, self._places, base)

    @cached_property
    def _faults(self) -> list[Fault]:
        return faults_of(self._batch)

    @cached_property
    def _succeeded(self) -> Succeeded:
        return succeeded_of(self._batch)

    @cached_property
    def _places(self) -> Places:
        return places_of(self._kept.names[0])
