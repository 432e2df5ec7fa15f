"""Amili's answers about a batch, byte for byte."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from batches.models import Answer, Batch
from batches.views.versions import version_numbered, versions_of
from staff.http import StaffRequest


@require_safe
def download(request: StaffRequest, batch_id: UUID) -> HttpResponse:
    """The last answer."""
    visible = Batch.objects.visible_to(request.user).filter(pk=batch_id)
    answer = Answer.objects.filter(batch__in=visible).order_by("-received_at", "-pk").first()
    if answer is None:
        raise Http404
    return _file(answer, f"amili-batch-{batch_id}.json")


@require_safe
def download_version(request: StaffRequest, batch_id: UUID, number: int) -> HttpResponse:
    """One version of the answer."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)
    version = version_numbered(versions_of(batch), str(number))
    return _file(batch.answers.get(pk=version.pk), f"amili-batch-{batch_id}-version-{number}.json")


def _file(answer: Answer, name: str) -> HttpResponse:
    """A file, never a page: whatever it holds, no browser shows it as ours."""
    return HttpResponse(
        answer.body,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
