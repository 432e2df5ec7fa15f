"""The list of batches: all that we know, or those that somebody pasted, newest first."""

from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from batches.forms import MOST_IDS, BatchFilter, find_batch_ids
from batches.models import Batch, BatchQuerySet
from batches.views.live import nothing_new, stamp_of
from staff.http import StaffRequest

PER_PAGE = 50


@require_safe
def batches(request: StaffRequest) -> HttpResponse:
    """All state stands in the address: filters, the key of the page (`after`), the IDs of a pasted list (`id`)."""
    form = BatchFilter(request.GET)
    wanted = find_batch_ids(" ".join(request.GET.getlist("id")[:MOST_IDS]))
    found = form.filter(Batch.objects.visible_to(request.user))
    if wanted:
        found = found.filter(pk__in=wanted)
    # One more than fits tells whether there is a next page.
    after = request.GET.get("after", "")
    page = list(_after(found, after).newest_first()[: PER_PAGE + 1])
    rows = page[:PER_PAGE]
    stamp = stamp_of(rows)
    if nothing_new(request, stamp):
        return HttpResponse(status=204)
    context = {
        "form": form,
        "rows": rows,
        "wanted": wanted,
        "stamp": stamp,
        # New batches appear at the top by themselves.
        "is_live": not (wanted or after) or any(batch.is_followed for batch in rows),
        "next": _key(rows[-1]) if len(page) > PER_PAGE else "",
    }
    return render(request, "batches/batches.html#list" if request.htmx else "batches/batches.html", context)


def _key(batch: Batch) -> str:
    return f"{batch.submitted_at.isoformat()}_{batch.pk}"


def _after(batches: BatchQuerySet, key: str) -> BatchQuerySet:
    """The batches that come after the one with this key; what is no key is no limit."""
    at, _, batch_id = key.partition("_")
    try:
        submitted_at, last_id = datetime.fromisoformat(at.replace(" ", "+")).astimezone(UTC), UUID(batch_id)
    except (ValueError, OverflowError):
        return batches
    return batches.filter(Q(submitted_at__lt=submitted_at) | Q(submitted_at=submitted_at, pk__lt=last_id))
