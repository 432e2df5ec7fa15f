"""Back to where something was done."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from batches.views.tabs import TABS
from staff.http import StaffRequest


def back_to_batch(request: StaffRequest, batch_id: UUID) -> HttpResponse:
    """To the page of a batch: the `tab` that the address names, and its filter."""
    query = request.GET.copy()
    tab = query.pop("tab", [""])[0]
    if tab in TABS:
        return redirect(reverse("batch-tab", args=[batch_id, tab], query=query))
    return redirect("batch", batch_id)
