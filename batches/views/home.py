"""The first page: one box, and what runs, what failed lately, what I looked at."""

from datetime import date
from operator import attrgetter

from django.db.models import Func, IntegerField, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from batches import tasks
from batches.forms import SearchForm
from batches.models import Batch, BatchQuerySet
from batches.rhythm import mark_stuck
from batches.views.batches import capped
from batches.views.live import nothing_new, stamp_of
from staff.http import StaffRequest
from staff.models import Person

SHOWN = 8


def home(request: StaffRequest) -> HttpResponse:
    """Find what was pasted (POST keeps it out of addresses and logs), or show where things stand."""
    form = SearchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _follow(form)
    visible = Batch.objects.visible_to(request.user)
    today = timezone.localdate()
    now = _now(visible, today)
    mark_stuck(now, timezone.now())
    # Where there is something unresolved, some of it is shown, and so the number with it.
    unresolved = capped(now[0].unresolved_today) if now else "0"  # type: ignore[attr-defined]
    stamp = f"{stamp_of(now)}{unresolved}"
    if nothing_new(request, stamp):
        return HttpResponse(status=204)
    context = {
        "form": form,
        "running": [batch for batch in now if not batch.is_finished],
        "failed": [batch for batch in now if batch.is_finished],
        "today": today,
        "unresolved_today": "" if unresolved == "0" else unresolved,
        "looked_at": _looked_at(visible, request.user),
        "stamp": stamp,
    }
    return render(request, "batches/home.html#now" if request.htmx else "batches/home.html", context)


def _now(visible: BatchQuerySet, today: date) -> list[Batch]:
    """What runs and what failed, each with how many of today are unresolved: in one query, asked every two seconds."""
    of_today = visible.unresolved().submitted_on(today)
    number = Subquery(of_today.values(n=Func("pk", function="count", output_field=IntegerField())))
    running, failed = (
        each.newest_first().annotate(unresolved_today=number)[:SHOWN]
        for each in (visible.running(), visible.unresolved())
    )
    return sorted(running.union(failed, all=True), key=attrgetter("submitted_at"), reverse=True)


def _looked_at(visible: BatchQuerySet, person: Person) -> list[Batch]:
    """What this person opened last."""
    batches = list(visible.looked_at_by(person)[:SHOWN])
    mark_stuck(batches, timezone.now())
    return batches


def _follow(form: SearchForm) -> HttpResponse:
    batch_ids = form.cleaned_data["q"]
    tasks.follow(batch_ids)
    if len(batch_ids) == 1:
        return redirect("batch", batch_ids[0])
    return redirect(reverse("batches", query=[("id", str(batch_id)) for batch_id in batch_ids]))
