"""The causes, and the page of one."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from batches.models import Cause
from staff.http import StaffRequest


@require_safe
def causes(request: StaffRequest) -> HttpResponse:
    """The list."""
    return render(request, "batches/causes.html", {"causes": Cause.objects.visible_to(request.user)[:50]})


@require_safe
def cause(request: StaffRequest, cause_id: int) -> HttpResponse:
    """The page of one."""
    return render(request, "batches/cause.html", {"cause": get_object_or_404(Cause, pk=cause_id)})
