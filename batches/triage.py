"""Who is on it: the only writer of the states, owners and histories of failed batches and of causes."""

from collections.abc import Iterable

from django.db.models import F
from django.utils import timezone

from batches.models import Batch, Cause, TriageEntry
from batches.words import TriageState


def came_back(cause_ids: Iterable[int], batch: Batch) -> None:
    """Open those of these causes anew that had been corrected when a batch was submitted that has them all the same.

    In the caller's transaction. Locked in the order of their ids, lest two that record wait for each other.
    """
    # Read from what it is made of: what the database generates is old while the batch is being written.
    submitted_at, now = batch.created_at or batch.first_seen_at, timezone.now()
    corrected = Cause.objects.filter(
        pk__in=list(cause_ids), triage_state=TriageState.CORRECTED, triaged_at__lt=submitted_at
    )
    causes = list(corrected.order_by("pk").select_for_update(no_key=True))
    for cause in causes:
        cause.triage_state, cause.triaged_at = TriageState.NEW, now
        cause.triage_revision += 1
    Cause.objects.bulk_update(causes, ["triage_state", "triaged_at", "triage_revision"])
    kind, state = TriageEntry.Kind.CAME_BACK, TriageState.NEW
    TriageEntry.objects.bulk_create(
        [TriageEntry(cause=cause, at=now, kind=kind, state=state, other_batch_id=batch.pk) for cause in causes]
    )


def inherit(heir: Cause, former: Cause) -> None:
    """What people said of a cause goes over to the one that takes its place; the caller holds the lock of the heir."""
    fields = ("triage_state", "triaged_at", "owner_id", "advice", "advised_by_id", "advised_at")
    said = {name: getattr(former, name) for name in fields}
    Cause.objects.filter(pk=heir.pk).update(**said, triage_revision=F("triage_revision") + 1)
    TriageEntry.objects.create(
        cause=heir,
        at=timezone.now(),
        kind=TriageEntry.Kind.REGROUPED,
        state=former.triage_state,
        is_owner_new=former.owner_id is not None,
        owner_id=former.owner_id,
        text=former.advice,
    )
