"""Amili's last answer about a batch, byte for byte."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from batches.models import Answer, Batch
from staff.http import StaffRequest


@require_safe
def download(request: StaffRequest, batch_id: UUID) -> HttpResponse:
    """A file, never a page: whatever it holds, no browser shows it as ours."""
    visible = Batch.objects.visible_to(request.user).filter(pk=batch_id)
    answer = Answer.objects.filter(batch__in=visible).order_by("-received_at").first()
    if answer is None:
        raise Http404
    return HttpResponse(
        answer.body,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="amili-batch-{batch_id}.json"'},
    )
