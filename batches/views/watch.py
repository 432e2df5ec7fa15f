"""Watch: a person wants to hear when a batch is done."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from batches.alerts.messages import channels_of, wishes_of
from batches.models import Batch, Watch
from batches.views.back import back_to_batch
from batches.words import AlertKind
from staff.http import StaffRequest
from staff.models import Person

MOST_WATCHES = 500  # of a person


def watch_of(person: Person, batch: Batch) -> dict[str, Any]:
    """What `batches/watch.html` needs. There is nothing to watch, and nothing to read, once a batch is done."""
    if not _can_be_watched(batch):
        return {}
    if not Watch.objects.filter(person=person, batch=batch).exists():
        return {"watch": {"is_on": False}}
    channels = channels_of(person) if AlertKind.WATCHED in wishes_of(person).kinds else []
    return {"watch": {"is_on": True, "channels": channels}}


@require_POST
def watch(request: StaffRequest, batch_id: UUID) -> HttpResponse:
    """`watch=on` or `watch=off`, not the other way round than now: who presses twice means it once."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)
    problem, wish = "", request.POST.get("watch")
    if wish == "off":
        Watch.objects.filter(person=request.user, batch=batch).delete()
    elif wish == "on" and _can_be_watched(batch):
        problem = _begin(request.user, batch)
    if request.htmx:
        return render(
            request, "batches/watch.html", {"batch": batch, "problem": problem, **watch_of(request.user, batch)}
        )
    if problem:
        messages.info(request, problem)
    return back_to_batch(request, batch.pk)


def _can_be_watched(batch: Batch) -> bool:
    return batch.is_followed and not batch.is_finished


def _begin(person: Person, batch: Batch) -> str:
    """Watch it from now on; or say why not. A watch that there is already stays as it is."""
    if person.watches.exclude(batch=batch).count() >= MOST_WATCHES:
        return gettext("You watch %(n)d batches already. This one can be watched once one of them is done.") % {
            "n": MOST_WATCHES
        }
    Watch.objects.bulk_create([Watch(person=person, batch=batch, at=timezone.now())], ignore_conflicts=True)
    return ""
