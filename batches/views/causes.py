"""The causes of errors, over all batches: their list, and the page of one."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from batches.bars import CHART_DAYS, SPARK_DAYS, bars_of
from batches.forms import CauseFilter
from batches.models import Batch, BatchCause, Cause
from batches.rhythm import mark_stuck
from batches.views.newest import key_of, older_than
from batches.views.triage import notes_of, panel_of
from staff.http import StaffRequest

PER_PAGE = 50
MOST_ORGANIZATIONS = 50


@require_safe
def causes(request: StaffRequest) -> HttpResponse:
    """The list, last seen first. All state stands in the address."""
    form = CauseFilter(request.GET, person=request.user)
    found = form.filter(Cause.objects.visible_to(request.user).occurring()).last_seen_first()
    after = request.GET.get("after", "")
    # One more than fits tells whether there is a next page.
    older = older_than(found, after, at="last_seen_at", read=int).select_related("owner")
    page = list(older[: PER_PAGE + 1])
    shown = page[:PER_PAGE]
    bars = bars_of([cause.pk for cause in shown], SPARK_DAYS)
    context = {
        "form": form,
        "lines": [(cause, bars[cause.pk]) for cause in shown],
        "next": _key(shown[-1]) if len(page) > PER_PAGE else "",
    }
    return render(request, "batches/causes.html", context)


def _key(cause: Cause) -> str:
    return key_of(cause.last_seen_at, cause.pk) if cause.last_seen_at else ""


@require_safe
def cause(request: StaffRequest, cause_id: int) -> HttpResponse:
    """Every batch with it, over time, by organisation; what to do about it, and who is on it."""
    visible = Cause.objects.visible_to(request.user)
    found = get_object_or_404(visible.select_related("owner", "advised_by", "replaced_by"), pk=cause_id)
    within = BatchCause.objects.filter(cause=found, batch__in=Batch.objects.visible_to(request.user))
    rows = older_than(within, request.GET.get("after", ""), pk="batch_id").select_related("batch", "batch__owner")
    # One more than fits tells whether there is a next page.
    shares = list(rows.order_by("-submitted_at", "-batch")[: PER_PAGE + 1])
    mark_stuck([share.batch for share in shares], timezone.now())
    last = shares[:PER_PAGE][-1] if len(shares) > PER_PAGE else None
    organizations = list(found.organizations.filter(batches__gt=0).order_by("-rows")[: MOST_ORGANIZATIONS + 1])
    context = {
        "cause": found,
        "shares": shares[:PER_PAGE],
        "next": key_of(last.submitted_at, last.batch_id) if last else "",
        "bars": bars_of([found.pk], CHART_DAYS)[found.pk],
        "organizations": organizations[:MOST_ORGANIZATIONS],
        "more_organizations": len(organizations) > MOST_ORGANIZATIONS,
        "replaces": found.replaces.all(),
        **panel_of(found),
        **notes_of(found),
    }
    return render(request, "batches/cause.html", context)
