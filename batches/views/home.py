"""The first page: one box, and what runs, what failed lately, what I looked at."""

from operator import attrgetter

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from batches import tasks
from batches.forms import SearchForm
from batches.models import Batch
from batches.views.live import nothing_new, stamp_of
from staff.http import StaffRequest

SHOWN = 8


def home(request: StaffRequest) -> HttpResponse:
    """Find what was pasted (POST keeps it out of addresses and logs), or show where things stand."""
    form = SearchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _follow(form)
    visible = Batch.objects.visible_to(request.user)
    # One query for both lists: every open page asks it every two seconds.
    both = visible.running().newest_first()[:SHOWN].union(visible.with_failures().newest_first()[:SHOWN], all=True)
    now = sorted(both, key=attrgetter("submitted_at"), reverse=True)
    stamp = stamp_of(now)
    if nothing_new(request, stamp):
        return HttpResponse(status=204)
    context = {
        "form": form,
        "running": [batch for batch in now if not batch.is_finished],
        "failed": [batch for batch in now if batch.is_finished],
        "looked_at": visible.looked_at_by(request.user)[:SHOWN],
        "stamp": stamp,
    }
    return render(request, "batches/home.html#now" if request.htmx else "batches/home.html", context)


def _follow(form: SearchForm) -> HttpResponse:
    batch_ids = form.cleaned_data["q"]
    tasks.follow(batch_ids)
    if len(batch_ids) == 1:
        return redirect("batch", batch_ids[0])
    return redirect(reverse("batches", query=[("id", str(batch_id)) for batch_id in batch_ids]))
