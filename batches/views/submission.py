"""The submitted file: dropped for one visit, it stands beside what Amili says of its objects."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import wraps
from itertools import chain
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from batches.models import Batch
from batches.submission import keep
from batches.submission.base import BASES
from batches.submission.files import correction_file, rest_file
from batches.submission.meeting import Meeting, learn, meet, remember
from batches.submission.page import ObjectPage, page_of_objects
from batches.submission.reading import read
from batches.submission.submitted import MOST_BYTES, UnreadableError
from batches.submission.texts import shown
from batches.submission.upload import WholeFile, uploaded
from batches.submission.words import reasons_of
from staff.http import StaffRequest

type View = Callable[..., HttpResponseBase]


def _kindly(view: View) -> View:
    """Valkey may be away, and the half hour may end at any moment: a sentence says so."""

    @wraps(view)
    def kindly(request: StaffRequest, batch_id: UUID, *args: Any) -> HttpResponseBase:
        try:
            return view(request, batch_id, *args)
        except keep.GoneError:
            return _empty_page(request, _batch(request, batch_id), is_gone=True, status=410)
        except keep.AwayError:
            return _empty_page(request, _batch(request, batch_id), is_away=True, status=503)

    return kindly


@csrf_exempt  # for a moment: the handler has to be there before anything reads the form
def submission(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    """The page; a POST brings the file. This alone takes files, into memory."""
    request.upload_handlers = [WholeFile(request)]
    return _submission(request, batch_id)


@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@_kindly
def _submission(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    batch = _batch(request, batch_id)
    if request.method == "POST":
        return _take(request, batch)
    kept = keep.found(request.user.pk, batch_id)
    if kept is None:
        return _empty_page(request, batch)
    meeting = meet(batch, kept, _base_in(request))
    page = page_of_objects(meeting, batch, request.GET)
    return render(request, "batches/submission.html", _shown(batch, meeting, page))


def _shown(batch: Batch, meeting: Meeting, page: ObjectPage) -> dict[str, object]:
    return {
        "batch": batch,
        "kept": meeting.kept,
        "base": meeting.base,
        "join": meeting.join,
        "page": page,
        "reasons": reasons_of(meeting),
        "until": datetime.fromtimestamp(meeting.kept.until, UTC),
        "bases": BASES,
    }


def _take(request: StaffRequest, batch: Batch) -> HttpResponseBase:
    try:
        name, body = uploaded(request, "file")
        submitted = read(body)
    except UnreadableError as problem:
        return _empty_page(request, batch, problem=str(problem), status=422)
    kept = keep.keep(request.user.pk, batch.pk, shown(name, 100), submitted)
    learn(meet(batch, kept), batch.organization_id)
    return redirect("submission", batch.pk)


@require_POST
@_kindly
def forget(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    """Forget the file before its time."""
    keep.forget(request.user.pk, batch_id)
    messages.info(request, gettext("The file is forgotten."))
    return redirect("submission", batch_id)


@require_POST
def decide(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    """Count from what a person says, here and for the organisation's next files."""
    batch = _batch(request, batch_id)
    base = _base_of(request.POST.get("base"))
    if base is None:
        return redirect("submission", batch_id)
    remember(batch.organization_id, base, request.user)
    return redirect(reverse("submission", args=[batch_id], query={"base": base}))


@require_safe
@_kindly
def correction(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    """The failed objects with their reasons, in the shape that came in."""
    meeting = _meeting(request, batch_id)
    return _file(meeting, correction_file(meeting), meeting.join.failed, "correction")


@require_safe
@_kindly
def rest(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    """The objects that the answer never mentions."""
    meeting = _meeting(request, batch_id)
    return _file(meeting, rest_file(meeting), meeting.join.untold, "never-mentioned")


def _meeting(request: StaffRequest, batch_id: UUID) -> Meeting:
    batch = _batch(request, batch_id)
    kept = keep.found(request.user.pk, batch_id)
    if kept is None:
        raise keep.GoneError
    return meet(batch, kept, _base_in(request))


def _file(meeting: Meeting, parts: Iterator[bytes], places: list[int] | None, what: str) -> StreamingHttpResponse:
    """A file, never a page. What can go wrong at its beginning does so before anything is sent."""
    if not places:
        raise Http404
    first = next(parts)
    frame = meeting.kept.frame
    name = f"amili-batch-{meeting.kept.batch}-{what}.{frame.suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(chain([first], parts), content_type=frame.content_type, headers=headers)


def _empty_page(request: StaffRequest, batch: Batch, *, status: int = 200, **more: object) -> HttpResponse:
    context = {"batch": batch, "most": MOST_BYTES // 2**20, "minutes": keep.LASTS // 60, **more}
    return render(request, "batches/submission.html", context, status=status)


def _batch(request: StaffRequest, batch_id: UUID) -> Batch:
    return get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)


def _base_in(request: StaffRequest) -> int | None:
    return _base_of(request.GET.get("base"))


def _base_of(text: str | None) -> int | None:
    return next((base for base in BASES if text == str(base)), None)
