"""The page of one case: every invoice and batch that we know of it."""

from urllib.parse import quote

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from batches.models import Batch, SucceededItem
from staff.http import StaffRequest

PER_PAGE = 100


@require_safe
def case(request: StaffRequest, case_id: str) -> HttpResponse:
    """Found by the ID as Amili wrote it. A case that no answer has named is a 404 that says so."""
    visible = Batch.objects.visible_to(request.user)
    invoices = SucceededItem.objects.filter(case_id=case_id, batch__in=visible).select_related("batch")
    page = Paginator(invoices.order_by("-batch__submitted_at", "batch_id", "position"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    portal = settings.AMILI_CASE_URL.replace("{case_id}", quote(case_id, safe=""))
    context = {"case_id": case_id, "page": page, "portal_url": portal}
    return render(request, "batches/case.html", context, status=200 if page.paginator.count else 404)
