"""The page of one batch: what became of it, live, and its rows."""

import re
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseNotFound
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from batches import tasks
from batches.models import Batch, BatchQuerySet
from batches.rhythm import mark_stuck
from batches.views.back import back_to_batch
from batches.views.live import stamp_of_one
from batches.views.standing import standing
from batches.views.tabs import TABS, first_tab_of
from batches.views.triage import panel_of
from batches.views.watch import watch_of
from staff.http import StaffRequest

STAMP = re.compile(r"([0-9]{1,18})(?:stuck)?")
# What tells whether a page that polls is up to date.
POLLED = (
    *("revision", "watched_at", "next_check_at", "asked_by", "outcome", "trouble"),
    *("checked_at", "created_at", "first_seen_at", "organization_id"),
)


@require_safe
def batch(request: StaffRequest, batch_id: UUID, tab: str = "") -> HttpResponse:
    """The page, or for htmx its live part. A poll by a page that is up to date costs one small read and is answered 204."""
    wanted = Batch.objects.visible_to(request.user).filter(pk=batch_id)
    if _is_up_to_date(request, wanted):
        return HttpResponse(status=204)
    batch = wanted.select_related("owner").first()
    if tab not in {"", *TABS}:
        raise Http404
    if batch is None:
        return HttpResponseNotFound(render_to_string("batches/unknown.html", {"batch_id": batch_id}, request))
    Batch.objects.renew_watch(batch, timezone.now())
    mark_stuck([batch], timezone.now())
    current = TABS[tab or first_tab_of(batch)]
    tabs = [(each, each.count(batch)) for each in TABS.values() if each is current or each.shown(batch)]
    panel = panel_of(batch) if batch.has_failures else {}
    context = {"batch": batch, "stamp": stamp_of_one(batch), "tab": current, "tabs": tabs, **panel}
    context |= current.context(batch, request.GET)
    context |= watch_of(request.user, batch)
    if request.htmx:
        return render(request, "batches/batch.html#live", context)
    request.user.remember_look(batch.pk, timezone.now())
    return render(request, "batches/batch.html", context)


def _is_up_to_date(request: StaffRequest, wanted: BatchQuerySet) -> bool:
    """Whether a page polls that shows the latest revision. One whose watch must be renewed is shown all anew."""
    stamp = STAMP.fullmatch(request.GET.get("stamp", ""))
    if not (request.htmx and stamp):
        return False
    shown = wanted.filter(revision=stamp[1]).only(*POLLED).first()
    if shown is None or (shown.is_wanted and standing().facts_from):
        return False  # who waits in vain is told so, and asks less often
    mark_stuck([shown], timezone.now())
    if stamp_of_one(shown) != stamp[0]:
        return False
    return not Batch.objects.renew_watch(shown, timezone.now())


@require_POST
def ask(request: StaffRequest, batch_id: UUID) -> HttpResponse:
    """Ask Amili now; start to follow a batch that we do not know. Back to where it was asked: to the `tab` and its filter."""
    if Batch.objects.visible_to(request.user).filter(pk=batch_id).exists():
        tasks.ask_now([batch_id])
    else:
        tasks.follow([batch_id])
    return back_to_batch(request, batch_id)
