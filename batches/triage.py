"""Who is on it: the only writer of the states, owners and histories of failed batches and of causes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import OperationalError, connection, models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from psycopg.errors import LockNotAvailable

from batches.models import Batch, Cause, Triaged, TriageEntry
from batches.words import TriageState, Trouble
from staff.models import Person

type Subject = Batch | Cause
Kind = TriageEntry.Kind

PATIENCE = "2s"
"""For how long a person waits for whoever holds the row; an answer that is being recorded holds its batch for seconds."""

PRESSED_TWICE = timedelta(seconds=10)
"""The same note within this time is the same press of the button."""


class Problem(models.TextChoices):
    """Why something was not done."""

    OUTDATED = (
        "outdated",
        _(
            "This was changed since you opened it, so nothing has been overwritten. Look at what is so now, then decide again."
        ),
    )
    BUSY = (
        "busy",
        _("This is being written by somebody else at this moment. Nothing is lost: try again in a few seconds."),
    )
    REPLACED = (
        "replaced",
        _(
            "The messages have been grouped anew, and another cause stands in the place of this one. What you did belongs there."
        ),
    )
    CIRCLE = "circle", _("That batch is itself corrected by this one, directly or by way of others.")
    DOUBTFUL = "doubtful", _("Nothing has been changed yet, since this may not be what you want:")


class NotDone(Exception):  # noqa: N818 - named for what became of it
    """Nothing was changed, for this reason; what is doubtful is done when the person says so once more."""

    def __init__(self, problem: Problem, doubts: Sequence[str] = ()) -> None:
        super().__init__(problem)
        self.problem, self.doubts = problem, doubts


# ------------------------------------------------------------------------------------------ what people do


def move(subject: Subject, person: Person, revision: int, state: TriageState, owner: Person | None) -> None:
    """Give it this state and owner. `revision` is that of what the person saw when they decided so."""
    with _held(subject, revision) as held:
        is_state_new, is_owner_new = held.triage_state != state, held.owner_id != (owner and owner.pk)
        if not (is_state_new or is_owner_new):
            return
        held.owner = owner
        if is_state_new:
            _set_state(held, state)
        if isinstance(held, Cause):
            held.came_back_in = None
        entry = TriageEntry(
            kind=Kind.MOVED, state=state if is_state_new else "", is_owner_new=is_owner_new, owner=owner
        )
        _write(held, person, entry)


def correct(
    batch: Batch,
    person: Person,
    revision: int,
    replacement: UUID,
    *,
    is_sure: bool,
    follow: Callable[[list[UUID]], None],
) -> None:
    """Note that another batch was sent in place of this one, and begin to `follow` it, if that is new to us.

    Who is not sure yet is told first what speaks against it.
    """
    with _held(batch, revision) as held:
        _one_at_a_time("batches.corrected_in")  # lest two links close a circle that neither of them sees
        if held.pk in _chain_from(replacement):
            raise NotDone(Problem.CIRCLE)
        if held.corrected_in_id == replacement:
            return
        if not is_sure and (doubts := list(_doubts(held, replacement))):
            raise NotDone(Problem.DOUBTFUL, doubts)
        follow([replacement])
        _set_state(held, TriageState.CORRECTED)
        held.corrected_in_id = replacement
        _write(held, person, TriageEntry(kind=Kind.MOVED, state=TriageState.CORRECTED, other_batch_id=replacement))
        _add(TriageEntry(kind=Kind.CORRECTS, batch_id=replacement, other_batch_id=held.pk), person)
        _show(replacement)


def note(subject: Subject, person: Person, text: str) -> None:
    """Add a note; it takes nothing away from anybody, so that it needs no revision. Pressed twice it stands there once."""
    if isinstance(subject, Cause) and subject.replaced_by_id:
        raise NotDone(Problem.REPLACED)
    with transaction.atomic():
        _one_at_a_time(f"batches.note {person.pk}")
        just_now = subject.triage_history.filter(at__gt=timezone.now() - PRESSED_TWICE)
        if just_now.filter(kind=Kind.NOTE, person=person, text=text).exists():
            return
        _add(TriageEntry(kind=Kind.NOTE, text=text, **_place(subject)), person)
        if isinstance(subject, Batch):
            _show(subject.pk)


def advise(cause: Cause, person: Person, revision: int, text: str) -> None:
    """Say in plain words what to do about a cause, in place of what was said before."""
    with _held(cause, revision) as held:
        if held.advice == text:
            return
        held.advice, held.advised_by, held.advised_at = text, person, timezone.now()
        _write(held, person, TriageEntry(kind=Kind.ADVICE, text=text))


@contextmanager
def _held[S: Triaged](subject: S, revision: int) -> Iterator[S]:
    """The row for one writer, if it is still what the person saw."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
            held = type(subject)._default_manager.select_for_update(no_key=True).get(pk=subject.pk)
            if held.triage_revision != revision:
                raise NotDone(Problem.OUTDATED)
            if isinstance(held, Cause) and held.replaced_by_id:
                raise NotDone(Problem.REPLACED)
            yield held
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise NotDone(Problem.BUSY) from error
        raise


def _one_at_a_time(what: str) -> None:
    """Wait until nobody else does this, until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [what])


def _set_state(held: Subject, state: TriageState) -> None:
    held.triage_state, held.triaged_at = state, timezone.now()
    if isinstance(held, Batch):
        held.corrected_in = None


def _write(held: Subject, person: Person, entry: TriageEntry) -> None:
    """Save what only triage writes, and a line of history."""
    held.triage_revision += 1
    fields = ["triage_state", "triaged_at", "triage_revision", "owner"]
    if isinstance(held, Batch):
        held.revision += 1  # pages that are open show it
        fields += ["corrected_in", "revision"]
    else:
        fields += ["came_back_in", "advice", "advised_by", "advised_at"]
    held.save(update_fields=fields)
    for name, value in _place(held).items():
        setattr(entry, name, value)
    _add(entry, person)


def _place(subject: Subject) -> dict[str, Subject]:
    return {"batch" if isinstance(subject, Batch) else "cause": subject}


def _add(entry: TriageEntry, person: Person) -> None:
    entry.person, entry.at = person, timezone.now()
    entry.save(force_insert=True)


def _show(batch_id: UUID) -> None:
    """Pages of a batch that are open show it anew. Who records an answer at this moment sees to that without us."""
    free = Batch.objects.filter(pk=batch_id).select_for_update(skip_locked=True, no_key=True)
    Batch.objects.filter(pk__in=free.values("pk")).update(revision=F("revision") + 1)


def _doubts(batch: Batch, replacement: UUID) -> Iterator[str]:
    """What speaks against a link, in sentences."""
    if batch.corrected_in_id:
        yield gettext("It is linked to batch %(id)s already.") % {"id": batch.corrected_in_id}
    other = Batch.objects.filter(pk=replacement).first()
    if other is None:
        yield gettext("That batch is not known here. Is the ID right? Amili is asked about it once it is linked.")
    elif other.trouble == Trouble.NOT_THERE:
        yield gettext("Amili does not know that batch. Is the ID right?")
    elif other.checked_at is None:
        yield gettext("Amili has told nothing of that batch yet. Is the ID right?")
    elif other.has_failures:
        yield gettext("Something failed in that batch, too.")
    elif not other.is_finished:
        yield gettext("That batch is not finished yet.")


def _chain_from(batch_id: UUID | None) -> set[UUID]:
    """A batch, the one that corrects it, the one that corrects that …"""
    chain = set[UUID]()
    while batch_id and batch_id not in chain:
        chain.add(batch_id)
        batch_id = Batch.objects.filter(pk=batch_id).values_list("corrected_in", flat=True).first()
    return chain


# ------------------------------------------------------------------------------------------ what happens by itself


def came_back(cause_ids: Iterable[int], batch: Batch) -> None:
    """Open those of these causes anew that had been corrected when a batch was submitted that has them all the same.

    In the caller's transaction. Locked in the order of their ids, lest two that record wait for each other.
    """
    now = timezone.now()
    corrected = Cause.objects.filter(
        pk__in=list(cause_ids), triage_state=TriageState.CORRECTED, triaged_at__lt=batch.submission
    )
    causes = list(corrected.order_by("pk").select_for_update(no_key=True))
    for cause in causes:
        cause.triage_state, cause.triaged_at = TriageState.NEW, now
        cause.triage_revision += 1
        cause.came_back_in_id = batch.pk
    Cause.objects.bulk_update(causes, ["triage_state", "triaged_at", "triage_revision", "came_back_in"])
    kind, state = Kind.CAME_BACK, TriageState.NEW
    TriageEntry.objects.bulk_create(
        [TriageEntry(cause=cause, at=now, kind=kind, state=state, other_batch_id=batch.pk) for cause in causes]
    )


def inherit(heir: Cause, former: Cause) -> None:
    """What people said of a cause goes over to the one that takes its place; the caller holds the lock of the heir."""
    fields = ("triage_state", "triaged_at", "came_back_in_id", "owner_id", "advice", "advised_by_id", "advised_at")
    said = {name: getattr(former, name) for name in fields}
    Cause.objects.filter(pk=heir.pk).update(**said, triage_revision=F("triage_revision") + 1)
    TriageEntry.objects.create(
        cause=heir,
        at=timezone.now(),
        kind=Kind.REGROUPED,
        state=former.triage_state,
        is_owner_new=former.owner_id is not None,
        owner_id=former.owner_id,
        text=former.advice,
    )
    if former.triage_state == TriageState.CORRECTED:
        # A batch that was sent since, and grouped by the new rules at once, has told nobody that it is back.
        since = heir.batches.filter(submitted_at__gt=former.triaged_at).order_by("submitted_at")
        for share in since.select_related("batch")[:1]:
            came_back([heir.pk], share.batch)
