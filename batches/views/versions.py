"""The versions of Amili's answer about a batch, numbered as they came, and what differs between two of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from batches.differences import Difference, difference
from batches.models import Answer, Batch
from batches.words import Source, Trouble
from staff.http import StaffRequest

MOST_CHOICES = 200  # versions to choose from, the newest


@dataclass(frozen=True)
class Version:
    """An answer and its number, without its body. The number tells in which order they first came."""

    number: int
    pk: int
    digest: bytes
    first_received_at: datetime
    received_at: datetime
    source: str
    request_id: str
    size: int
    problem: str

    @property
    def asked_by(self) -> str | Promise:
        return Source(self.source).label

    @property
    def came_back_at(self) -> datetime | None:
        """When it last came after another one, if it ever did."""
        return self.received_at if self.received_at > self.first_received_at else None


def versions_of(batch: Batch) -> list[Version]:
    """All versions, the oldest first."""
    fields = ("pk", "digest", "first_received_at", "received_at", "source", "request_id", "size", "problem")
    rows = Answer.objects.filter(batch=batch).order_by("pk").values_list(*fields)
    return [Version(number, *row) for number, row in enumerate(rows, 1)]


def version_numbered(versions: Sequence[Version], number: str) -> Version:
    """The one that an address names."""
    for version in versions:
        if str(version.number) == number:
            return version
    raise Http404


def last_received(versions: Sequence[Version]) -> Version:
    """The one that came last; not always that of the highest number, since an answer may come back."""
    return max(versions, key=lambda version: (version.received_at, version.number))


def is_unread_kept(batch: Batch) -> bool:
    """Whether the last answer, which we did not understand, can be looked at: some are not even unpacked."""
    if batch.trouble != Trouble.NOT_UNDERSTOOD or batch.asked_at is None:
        return False
    return batch.answers.filter(received_at=batch.asked_at).exclude(problem="").exists()


@require_safe
def versions(request: StaffRequest, batch_id: UUID) -> HttpResponse:
    """What differs between the versions `from` and `to`: of themselves, the last received and one before it."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)
    known = versions_of(batch)
    if not known:
        return render(request, "batches/versions.html", {"batch": batch})
    before, after = _chosen(known, request.GET)
    choices = sorted({before, after, *known[-MOST_CHOICES:]}, key=lambda version: -version.number)
    context = {"batch": batch, "choices": choices, "before": before, "after": after}
    return render(request, "batches/versions.html", {**context, "difference": _difference(batch, before, after)})


def _chosen(known: Sequence[Version], asked: Mapping[str, str]) -> tuple[Version, Version]:
    after = version_numbered(known, asked["to"]) if asked.get("to") else last_received(known)
    if asked.get("from"):
        return version_numbered(known, asked["from"]), after
    return _before(known, after), after


def _before(known: Sequence[Version], after: Version) -> Version:
    """The last version before this one; of one that we understood, the last that we understood too, if there is any."""
    earlier = known[: after.number - 1]
    understood = [] if after.problem else [version for version in earlier if not version.problem]
    return [after, *earlier, *understood][-1]


def _difference(batch: Batch, before: Version, after: Version) -> Difference | None:
    if before == after:
        return None
    answers = Answer.objects.only("compressed").in_bulk([before.pk, after.pk])
    return difference(answers[before.pk].body, answers[after.pk].body, batch.pk)
