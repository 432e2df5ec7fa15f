"""Which error rows have the same cause, and how much there is of each cause: in a batch, on a day, in an organisation."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from batches.copying import copy_rows
from batches.fingerprint import GROUPING, fingerprint
from batches.models import NO_ORGANIZATION, Batch, BatchCause, Cause
from batches.sums import hold, roll_up
from batches.triage import came_back, inherit
from batches.words import TriageState

MOST_RANGES = 40
LONGEST_EXAMPLE = 2_000


class Fault(Protocol):
    """What grouping needs to know of an error row."""

    @property
    def objectindex(self) -> int | None: ...
    @property
    def message(self) -> str | None: ...


class Share(NamedTuple):
    """How much a batch has of a cause. `ranges` are of object indices, ascending, and at most MOST_RANGES."""

    cause_id: int
    rows: int
    objects: int
    ranges: list[tuple[int, int]]
    example: str


class Grouped(NamedTuple):
    """The cause of each row, in the order of the rows, and what the batch has of each cause."""

    cause_ids: list[int]
    shares: list[Share]


# ------------------------------------------------------------------------------------------ within an answer


def group(faults: Sequence[Fault]) -> Grouped:
    """The causes of error rows; those that are new are made now."""
    return group_each([faults])[0]


def group_each(answers: Sequence[Sequence[Fault]]) -> list[Grouped]:
    """The same of several answers, at once."""
    alike = [_alike(faults) for faults in answers]
    examples = dict[str, str]()
    for each in alike:
        examples |= {template: _example(rows) for template, rows in each.members.items() if template not in examples}
    known = _ids_of(examples)
    return [_grouped(each, known) for each in alike]


class _Alike(NamedTuple):
    """The template of each row, and the rows of each template."""

    templates: list[str]
    members: Mapping[str, list[Fault]]


def _alike(faults: Sequence[Fault]) -> _Alike:
    messages = [fault.message or "" for fault in faults]
    template_of = {message: fingerprint(message) for message in dict.fromkeys(messages)}
    templates = [template_of[message] for message in messages]
    members = defaultdict[str, list[Fault]](list)
    for template, fault in zip(templates, faults, strict=True):
        members[template].append(fault)
    return _Alike(templates, members)


def _grouped(alike: _Alike, known: Mapping[str, int]) -> Grouped:
    shares = [_share(known[template], rows) for template, rows in alike.members.items()]
    return Grouped([known[template] for template in alike.templates], shares)


def _share(cause_id: int, rows: Sequence[Fault]) -> Share:
    named = [row.objectindex for row in rows]
    indices = {index for index in named if index is not None}
    ranges = list(islice(_ranges(indices), MOST_RANGES))
    return Share(cause_id, len(rows), len(indices) + named.count(None), ranges, _example(rows))


def _example(rows: Sequence[Fault]) -> str:
    return (rows[0].message or "")[:LONGEST_EXAMPLE]


def _ranges(indices: Collection[int]) -> Iterator[tuple[int, int]]:
    """{0, 1, 2, 7} -> (0, 2), (7, 7)."""
    first = last = None
    for index in sorted(indices):
        if first is None or last is None:
            first = last = index
        elif index == last + 1:
            last = index
        else:
            yield first, last
            first = last = index
    if first is not None and last is not None:
        yield first, last


def _ids_of(examples: Mapping[str, str]) -> dict[str, int]:
    """The ID of each template's cause. All who make new ones do it in one order, lest two wait for each other."""
    keys = {_key(template): template for template in examples}
    known = _known(keys) if keys else {}  # most batches have no error, and their answer should not wait for a query
    new = sorted(keys.keys() - known.keys())
    if new:
        Cause.objects.bulk_create(
            [Cause(grouping=GROUPING, key=key, template=keys[key], example=examples[keys[key]]) for key in new],
            ignore_conflicts=True,
            batch_size=5_000,
        )
        known |= _known(new)
    return {template: known[key] for key, template in keys.items()}


def _key(template: str) -> bytes:
    return hashlib.sha256(template.encode()).digest()


def _known(keys: Iterable[bytes]) -> dict[bytes, int]:
    found = Cause.objects.filter(grouping=GROUPING, key__in=list(keys)).values_list("key", "pk")
    return {bytes(key): pk for key, pk in found}


# ------------------------------------------------------------------------------------------ over all answers


def take_causes(batch: Batch) -> list[BatchCause]:
    """Take away what a batch has of each cause, for `set_causes` to put others in their place."""
    # Held, lest `count_for` move them to an organisation between the two.
    before = list(batch.causes.order_by("cause_id").select_for_update())
    batch.causes.all().delete()
    return before


def set_causes(
    each: Sequence[tuple[Batch, Sequence[Share]]], before: Sequence[BatchCause] = (), *, is_news: bool = True
) -> None:
    """Note what batches have of each cause, which had these `before`; with the roll-ups, in the caller's transaction.

    A cause that was called corrected comes back with a batch that was submitted afterwards, if this `is_news`.
    """
    copy_rows(
        BatchCause,
        "batch_id, cause_id, rows, objects_hit, ranges, example, organization_id, submitted_at, ended_at",
        (
            (
                *(batch.pk, share.cause_id, share.rows, share.objects, json.dumps(share.ranges), share.example),
                *(batch.organization_id or NO_ORGANIZATION, batch.submission, batch.end),
            )
            for batch, shares in each
            for share in shares
        ),
    )
    every = {share.cause_id for _, shares in each for share in shares} | {old.cause_id for old in before}
    if not every:
        return
    states = hold(every)
    roll_up([batch.pk for batch, _ in each], before)
    corrected = {cause_id for cause_id, state in states.items() if state == TriageState.CORRECTED}
    if is_news and corrected:
        _bring_back(each, corrected, had={(old.batch_id, old.cause_id) for old in before})


def count_for(organization_id: UUID, batch_ids: Sequence[UUID]) -> None:
    """Count the causes of batches for this organisation that were counted for none; in the caller's transaction."""
    nobodys = BatchCause.objects.filter(batch__in=batch_ids, organization_id=NO_ORGANIZATION)
    before = list(nobodys.order_by("batch_id", "cause_id").select_for_update(no_key=True))
    if before:
        nobodys.update(organization_id=organization_id)
        hold({old.cause_id for old in before})
        roll_up([old.batch_id for old in before], before)


def _bring_back(
    each: Sequence[tuple[Batch, Sequence[Share]]], corrected: Collection[int], had: Collection[tuple[UUID, int]]
) -> None:
    for batch, shares in each:
        new = {share.cause_id for share in shares if (batch.pk, share.cause_id) not in had}
        if back := new.intersection(corrected):
            came_back(back, batch)


# ------------------------------------------------------------------------------------------ another grouping


def hand_over() -> int:
    """Give what people said of the causes of a former grouping to those that now stand in their place; returns how many.

    A cause goes over to the one that its example has now, unless somebody has said something of that one already.
    """
    former = Cause.objects.filter(grouping__lt=GROUPING, replaced_by=None, batches=None).order_by("pk")
    return sum(map(_hand_over, list(former.values_list("pk", flat=True))))


def _hand_over(former_id: int) -> bool:
    example = Cause.objects.values_list("example", flat=True).get(pk=former_id)
    heir = Q(grouping=GROUPING, key=_key(fingerprint(example)))
    with transaction.atomic():
        both = Cause.objects.filter(Q(pk=former_id) | heir).order_by("pk").select_for_update(no_key=True).in_bulk()
        former = both.pop(former_id)
        if not both or former.replaced_by_id:
            return False
        (new,) = both.values()
        Cause.objects.filter(pk=former_id).update(replaced_by=new)
        if not new.triage_revision and former.triage_revision:
            inherit(new, former)
        return True
