"""The page of one batch: what became of it, live, and its rows."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseNotFound
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from batches import tasks
from batches.models import Batch
from batches.views.live import nothing_new
from batches.views.tabs import TABS, first_tab_of
from staff.http import StaffRequest


@require_safe
def batch(request: StaffRequest, batch_id: UUID, tab: str = "") -> HttpResponse:
    """The page, or for htmx its live part. A poll by a page that is up to date costs one read and is answered 204."""
    batch = Batch.objects.visible_to(request.user).filter(pk=batch_id).first()
    if batch is None or tab not in {"", *TABS}:
        return HttpResponseNotFound(render_to_string("batches/unknown.html", {"batch_id": batch_id}, request))
    newly_watched = batch.is_followed and Batch.objects.renew_watch(batch, timezone.now())
    if nothing_new(request, str(batch.revision)) and not newly_watched:
        return HttpResponse(status=204)
    current = TABS[tab or first_tab_of(batch)]
    tabs = [(each, each.count(batch)) for each in TABS.values() if each is current or each.shown(batch)]
    context = {"batch": batch, "tab": current, "tabs": tabs, **current.context(batch, request.GET)}
    if request.htmx:
        return render(request, "batches/batch.html#live", context)
    request.user.remember_look(batch.pk, timezone.now())
    return render(request, "batches/batch.html", context)


@require_POST
def ask(request: StaffRequest, batch_id: UUID) -> HttpResponse:
    """Ask Amili now; start to follow a batch that we do not know. Back to where it was asked: to the `tab` and its filter."""
    if Batch.objects.visible_to(request.user).filter(pk=batch_id).exists():
        tasks.ask_now([batch_id])
    else:
        tasks.follow([batch_id])
    query = request.GET.copy()
    tab = query.pop("tab", [""])[0]
    if tab in TABS:
        return redirect(reverse("batch-tab", args=[batch_id, tab], query=query))
    return redirect("batch", batch_id)
