"""The submitted file: dropped for one visit, it stands beside what Amili says of its objects."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from itertools import chain
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from batches.exports import Format
from batches.models import Batch
from batches.submission import keep
from batches.submission.base import BASES
from batches.submission.csv_file import CsvFile
from batches.submission.csv_sheet import CsvSheet
from batches.submission.files import ChangedError, file_to_mend, file_to_send
from batches.submission.listing import object_list
from batches.submission.meeting import Meeting, choose, learn, meet
from batches.submission.page import ObjectPage, cause_in, page_of_objects
from batches.submission.reading import read
from batches.submission.submitted import MOST_BYTES, BusyError, Form, UnreadableError
from batches.submission.texts import shown
from batches.submission.upload import WholeFile, uploaded
from batches.submission.words import estrangement_of, lack_of, reasons_of, relearned, silence_of
from batches.views.downloads import download
from batches.views.exports import exported
from staff.http import StaffRequest

_COOKIE = "amili_submission"
_COOKIE_PATH = "/batches/"

type View = Callable[..., HttpResponseBase]


def _kindly(view: View) -> View:
    """Valkey may be away, and the half hour may end at any moment: a sentence says so."""

    @wraps(view)
    def kindly(request: StaffRequest, batch_id: UUID, **more: Any) -> HttpResponseBase:
        try:
            return view(request, batch_id, **more)
        except keep.GoneError:
            return _empty_page(request, _batch(request, batch_id), is_gone=True, status=410)
        except keep.AwayError:
            return _empty_page(request, _batch(request, batch_id), is_away=True, status=503)
        except ChangedError:
            messages.info(request, gettext("A new answer has come meanwhile. This is the comparison with it."))
            return redirect("submission", batch_id)

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
    kept = _found(request, batch_id)
    if kept is None:
        return _empty_page(request, batch)
    meeting = meet(batch, kept)
    page = page_of_objects(meeting, batch, request.GET)
    return render(request, "batches/submission.html", _shown(batch, meeting, page))


def _shown(batch: Batch, meeting: Meeting, page: ObjectPage) -> dict[str, object]:
    return {
        "batch": batch,
        "kept": meeting.kept,
        "base": meeting.base,
        "join": meeting.join,
        "page": page,
        "estrangement": estrangement_of(meeting),
        "lack": lack_of(meeting),
        "silence": silence_of(meeting),
        "reasons": reasons_of(meeting),
        "until": datetime.fromtimestamp(meeting.kept.until, UTC),
        "bases": BASES,
    }


def _take(request: StaffRequest, batch: Batch) -> HttpResponseBase:
    try:
        name, body = uploaded(request, "file")
        submitted = read(body)
    except BusyError as problem:
        return _empty_page(request, batch, problem=str(problem), status=503)
    except UnreadableError as problem:
        return _empty_page(request, batch, problem=str(problem), status=422)
    kept = keep.keep(request.user.pk, batch.pk, shown(name, 100), submitted)
    meeting = meet(batch, kept)
    if before := learn(meeting, batch.organization_id):
        messages.info(request, relearned(meeting, before))
    response = redirect("submission", batch.pk)
    # The only place where this secret stands: neither Valkey nor its disk can open the file without it.
    response.set_cookie(
        _COOKIE,
        kept.secret,
        max_age=keep.LASTS,
        path=_COOKIE_PATH,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Strict",
    )
    return response


@require_POST
@_kindly
def forget(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    """Forget the file before its time."""
    response = redirect("submission", batch_id)
    if keep.forget(request.user.pk, batch_id):
        response.delete_cookie(_COOKIE, path=_COOKIE_PATH, samesite="Strict")
    messages.info(request, gettext("The file is forgotten."))
    return response


@require_POST
@_kindly
def decide(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    """Count from what a person says, for this visit, and for the organisation's next files if this one allows it."""
    batch = _batch(request, batch_id)
    base = next((base for base in BASES if request.POST.get("base") == str(base)), None)
    kept = _found(request, batch_id)
    if kept and base is not None:
        choose(meet(batch, kept), base, batch.organization_id, request.user)
    return redirect("submission", batch_id)


@download
@_kindly
def correction(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    """The failed objects, of one cause or of all: with their reasons to mend them by, or as they came."""
    meeting = _meeting(request, batch_id)
    form, join = _form(request, meeting), meeting.join
    positions = join.with_cause(cause_in(request.GET))
    if not positions:
        raise Http404
    if request.GET.get("reasons") == "no":
        places = [join.failed[n] for n in positions]
        return _file(meeting, form, file_to_send(meeting, places, form), "without-reasons")
    return _file(meeting, form, file_to_mend(meeting, positions, form), "correction")


@download
@_kindly
def rest(request: StaffRequest, batch_id: UUID) -> HttpResponseBase:
    """The objects that the answer never mentions."""
    meeting = _meeting(request, batch_id)
    frame, places = meeting.kept.frame, meeting.join.untold
    if not places:
        raise Http404
    return _file(meeting, frame, file_to_send(meeting, places, frame), "never-mentioned")


@download
@_kindly
def export(request: StaffRequest, batch_id: UUID, file_format: Format) -> HttpResponseBase:
    """The list of failed objects, of one cause or of all, each error row beside its object."""
    meeting = _meeting(request, batch_id)
    cause = cause_in(request.GET)
    positions = meeting.join.with_cause(cause)
    if not positions:
        raise Http404
    meeting.kept.last()
    asked = {} if cause is None else {"cause": str(cause)}
    return exported(file_format, ["batch", str(batch_id), "failed objects"], asked, [object_list(meeting, positions)])


def _found(request: StaffRequest, batch_id: UUID) -> keep.Kept | None:
    return keep.found(request.user.pk, batch_id, request.COOKIES.get(_COOKIE, ""))


def _meeting(request: StaffRequest, batch_id: UUID) -> Meeting:
    batch = _batch(request, batch_id)
    kept = _found(request, batch_id)
    if kept is None:
        raise keep.GoneError
    meeting = meet(batch, kept)
    if not meeting.is_trusted:
        raise Http404
    return meeting


def _form(request: StaffRequest, meeting: Meeting) -> Form:
    frame = meeting.kept.frame
    return CsvSheet(frame) if request.GET.get("as") == "xlsx" and isinstance(frame, CsvFile) else frame


def _file(meeting: Meeting, form: Form, parts: Iterator[bytes], what: str) -> StreamingHttpResponse:
    """A file, never a page. What can go wrong at its beginning does so before anything is sent."""
    meeting.kept.last()
    first = next(parts)
    name = f"amili-batch-{meeting.kept.batch}-{what}.{form.suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(chain([first], parts), content_type=form.content_type, headers=headers)


def _empty_page(request: StaffRequest, batch: Batch, *, status: int = 200, **more: object) -> HttpResponse:
    context = {"batch": batch, "most": MOST_BYTES // 2**20, "minutes": keep.LASTS // 60, **more}
    with suppress(keep.AwayError):
        context["elsewhere"] = keep.elsewhere(request.user.pk, batch.pk)
    return render(request, "batches/submission.html", context, status=status)


def _batch(request: StaffRequest, batch_id: UUID) -> Batch:
    return get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)
