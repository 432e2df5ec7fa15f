"""What an answer amounts to: our one honest word for it, and where its parts do not add up."""

from batches.amili.payload import BatchSnapshot
from batches.words import FINISHED, Doubt, Outcome

_SAID = {"QUEUED": Outcome.QUEUED, "SUCCESS": Outcome.SUCCEEDED, "PARTIAL": Outcome.PARTIAL, "FAILED": Outcome.FAILED}
_WORST_FIRST = [Outcome.FAILED, Outcome.PARTIAL, Outcome.SUCCEEDED]


def outcome_of(snapshot: BatchSnapshot) -> Outcome:
    """Our word for a batch: never better than its rows are, and never from `summary.status`, which is about the call.

    A status word decides where there is one, since Amili fills `finishedAt` on queued batches too. The first generation
    has no word: without a finish later than its creation, and without objects, a batch is queued; else its lists tell.
    """
    if snapshot.status:
        said = _said(snapshot) or Outcome.UNKNOWN
        return min(said, _by_lists(snapshot), key=_WORST_FIRST.index) if said in FINISHED else _begun(said, snapshot)
    if snapshot.finished_at is None or (not _objects(snapshot) and snapshot.finished_at == snapshot.created_at):
        return _begun(Outcome.QUEUED, snapshot)
    return _by_lists(snapshot) if _objects(snapshot) else Outcome.UNKNOWN


def doubts_about(snapshot: BatchSnapshot) -> list[Doubt]:
    """Where the parts of an answer do not add up."""
    said, succeeded, failed = _said(snapshot), snapshot.succeeded_objects, snapshot.failed_objects
    tests = {
        Doubt.UNKNOWN_STATUS: bool(snapshot.status) and said is None,
        Doubt.SUCCESS_WITH_FAILURES: said == Outcome.SUCCEEDED and failed,
        Doubt.FAILED_WITH_SUCCESSES: said == Outcome.FAILED and succeeded,
        Doubt.PARTIAL_WITHOUT_FAILURES: said == Outcome.PARTIAL and succeeded and not failed,
        Doubt.PARTIAL_WITHOUT_SUCCESSES: said == Outcome.PARTIAL and failed and not succeeded,
        Doubt.FINISHED_WITHOUT_OBJECTS: _claims_finish(snapshot) and not succeeded and not failed,
        Doubt.QUEUED_WITH_OBJECTS: said == Outcome.QUEUED and (succeeded or failed),
        Doubt.LISTS_DISAGREE: 0 < snapshot.failed_items != snapshot.objects_with_errors > 0,
    }
    return [doubt for doubt, holds in tests.items() if holds]


def _said(snapshot: BatchSnapshot) -> Outcome | None:
    return _SAID.get(snapshot.status.strip().upper())


def _claims_finish(snapshot: BatchSnapshot) -> bool:
    if snapshot.status:
        return _said(snapshot) in FINISHED
    return snapshot.finished_at not in (None, snapshot.created_at)


def _objects(snapshot: BatchSnapshot) -> int:
    return snapshot.succeeded_objects + snapshot.failed_objects


def _by_lists(snapshot: BatchSnapshot) -> Outcome:
    if not snapshot.failed_objects:
        return Outcome.SUCCEEDED
    return Outcome.PARTIAL if snapshot.succeeded_objects else Outcome.FAILED


def _begun(said: Outcome, snapshot: BatchSnapshot) -> Outcome:
    return Outcome.IN_PROGRESS if said == Outcome.QUEUED and _objects(snapshot) else said
