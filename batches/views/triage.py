"""Who is on it: what people do about a failed batch or a cause, and the history of that."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from batches import tasks, triage
from batches.forms.triage import AdviceForm, CorrectionForm, NoteForm, TriageForm
from batches.models import Batch, Cause, TriageEntry
from batches.triage import NotDone, Subject
from batches.views.back import back_to_batch
from batches.words import TriageState
from staff.http import StaffRequest

MOST_LINES = 200  # of a history

# What each form is called in the templates, and which of them shows it.
FORMS: dict[type[Form], tuple[str, str]] = {
    TriageForm: ("triage_form", "batches/triage.html#moving"),
    CorrectionForm: ("correction_form", "batches/triage.html#correcting"),
    NoteForm: ("note_form", "batches/note_form.html"),
    AdviceForm: ("advice_form", "batches/advice.html#advising"),
}


# ------------------------------------------------------------------------------------------ for the pages that show it


def panel_of(subject: Subject) -> dict[str, Any]:
    """What `batches/triage.html` needs: on the page of a batch, and on that of a cause."""
    return {
        "subject": subject,
        "kind": "batch" if isinstance(subject, Batch) else "cause",
        "triage_form": TriageForm(subject=subject),
        "correction_form": CorrectionForm(subject=subject) if isinstance(subject, Batch) else None,
        "advice_form": AdviceForm(subject=subject) if isinstance(subject, Cause) else None,
        "note_count": subject.triage_history.filter(kind=TriageEntry.Kind.NOTE).count(),
    }


def notes_of(subject: Subject) -> dict[str, Any]:
    """What `batches/notes.html` needs: the history of a cause, the latest first, and the form of a note."""
    history = list(history_of(subject)[: MOST_LINES + 1])
    return {"history": history[:MOST_LINES], "is_cut": len(history) > MOST_LINES, "note_form": NoteForm()}


def history_of(subject: Subject) -> QuerySet[TriageEntry]:
    """What people did, the latest first."""
    return subject.triage_history.select_related("person", "owner").order_by("-id")


# ------------------------------------------------------------------------------------------ what people do


@require_POST
def move(request: StaffRequest, **key: Any) -> HttpResponse:
    """Another state, another owner."""
    subject = _subject(request, **key)

    def deed(revision: int, state: str, owner: Any) -> None:
        triage.move(subject, request.user, revision, TriageState(state), owner)

    return _done(request, subject, TriageForm(request.POST, subject=subject), deed)


@require_POST
def correct(request: StaffRequest, batch_id: UUID) -> HttpResponse:
    """The batch that was sent in place of this one, which we follow from now on."""
    subject = _subject(request, batch_id=batch_id)

    def deed(revision: int, replacement: UUID, anyway: UUID | None) -> None:
        is_sure = anyway == replacement
        triage.correct(subject, request.user, revision, replacement, is_sure=is_sure, follow=tasks.follow)

    return _done(request, subject, CorrectionForm(request.POST, subject=subject), deed)


@require_POST
def note(request: StaffRequest, **key: Any) -> HttpResponse:
    """One more note."""
    subject = _subject(request, **key)

    def deed(text: str) -> None:
        triage.note(subject, request.user, text)

    return _done(request, subject, NoteForm(request.POST), deed)


@require_POST
def advise(request: StaffRequest, cause_id: int) -> HttpResponse:
    """What to do about a cause, in plain words."""
    subject = _subject(request, cause_id=cause_id)

    def deed(revision: int, text: str) -> None:
        triage.advise(subject, request.user, revision, text)

    return _done(request, subject, AdviceForm(request.POST, subject=subject), deed)


def _subject(request: StaffRequest, batch_id: UUID | None = None, cause_id: int | None = None) -> Any:
    if batch_id:
        return get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)
    return get_object_or_404(Cause.objects.visible_to(request.user), pk=cause_id)


def _done(request: StaffRequest, subject: Subject, form: Form, deed: Callable[..., None]) -> HttpResponse:
    """Do it and go back; or show what is so now beside what the person wanted, to be sent again knowingly."""
    reason = None
    if form.is_valid():
        try:
            deed(**form.cleaned_data)
        except NotDone as not_done:
            reason = not_done
        else:
            return back_to_batch(request, subject.pk) if isinstance(subject, Batch) else redirect(subject)
    return _undone(request, subject, form, reason)


def _undone(request: StaffRequest, subject: Subject, form: Form, reason: NotDone | None) -> HttpResponse:
    subject.refresh_from_db()
    form.data = {**form.data.dict(), "revision": subject.triage_revision}  # type: ignore[attr-defined]
    name, part = FORMS[type(form)]
    latest = history_of(subject).exclude(kind=TriageEntry.Kind.NOTE).first()
    problem, doubts = (reason.problem, reason.doubts) if reason else (None, ())
    context = {**panel_of(subject), name: form, "part": part, "problem": problem, "doubts": doubts, "latest": latest}
    response = render(request, "batches/undone.html", context, status=200 if request.htmx else 409 if reason else 422)
    # In place of the whole page, lest the next poll of its live part wipe it away.
    swap = {"Retarget": "#main", "Reselect": "#main", "Reswap": "morph:outerHTML show:top", "Push-Url": "false"}
    for header, value in swap.items():
        response.headers[f"HX-{header}"] = value
    return response
