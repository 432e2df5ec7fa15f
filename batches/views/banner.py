"""The banner of every page while the facts grow old, kept true on pages that stay open."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from batches.views.standing import standing
from staff.http import StaffRequest


@require_safe
def banner(request: StaffRequest) -> HttpResponse:
    """For the banner's own poll: 204 while it still says what is so."""
    now = standing()
    if request.GET.get("shown") == now.stamp:
        return HttpResponse(status=204)
    return render(request, "batches/banner.html", {"standing": now})
