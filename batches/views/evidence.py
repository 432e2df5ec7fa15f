"""Evidence about a batch for Amili's support: to read first, then to take along as a text or a ZIP."""

import re
from collections.abc import Iterable
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from batches.evidence import MOST_ROWS, Evidence, archive, report
from batches.masking import Mask
from batches.models import Batch
from batches.views.downloads import checked, download, readable
from batches.views.tabs.rows import ROWS_TABS
from staff.http import StaffRequest

MOST_CHOSEN = 1_000  # rows by hand

_ERRORS = next(tab for tab in ROWS_TABS if tab.name == "errors")


@require_safe
@readable
def evidence(request: StaffRequest, batch_id: UUID) -> HttpResponse:
    """The report as it would go out. Which rows it shows is told by the address, as on the page of the rows."""
    chosen = _chosen(request, batch_id)
    report_text = "".join(report(chosen, Mask(), timezone.now()))
    context = {"batch": chosen.batch, "text": report_text, "row_count": chosen.row_count}
    return render(request, "batches/evidence.html", {**context, "most_rows": MOST_ROWS})


@download
def text(request: StaffRequest, batch_id: UUID) -> StreamingHttpResponse:
    """The same as a file."""
    chosen = _chosen(request, batch_id)
    lines = (line.encode() for line in report(chosen, Mask(), timezone.now()))
    return _file(lines, "text/plain; charset=utf-8", f"amili-batch-{batch_id}-evidence.txt")


@download
def zipped(request: StaffRequest, batch_id: UUID) -> StreamingHttpResponse:
    """The same with all its rows, the answers and the timeline."""
    chosen = _chosen(request, batch_id)
    return _file(archive(chosen, timezone.now()), "application/zip", f"amili-batch-{batch_id}-evidence.zip")


def _chosen(request: StaffRequest, batch_id: UUID) -> Evidence:
    """Rows chosen by hand, each as `rank`, else those that fit the filter, which without one are all."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)
    rows = batch.errors.order_by("rank")
    if asked := request.GET.getlist("rank")[:MOST_CHOSEN]:
        chosen = rows.filter(rank__in=[int(rank) for rank in asked if re.fullmatch(r"[0-9]{1,9}", rank)])
        return Evidence(batch, chosen, chosen.count())
    form = checked(_ERRORS.filter_form(request.GET), reverse("batch-tab", args=[batch.pk, _ERRORS.name]))
    chosen = form.filter(rows)
    return Evidence(batch, chosen, chosen.count() if form.is_filtering else batch.error_count)


def _file(parts: Iterable[bytes], content_type: str, name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(parts, content_type=content_type, headers=headers)
