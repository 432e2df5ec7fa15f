"""The rhythm of those who send: who is missing on a day, when each usually sends, and what a person expects instead."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from batches import rhythm as learnt
from batches.days import WEEK, holiday
from batches.forms.base import point_at_what_is_wrong
from batches.forms.rhythm import ExpectationForm, RhythmForm
from batches.models import Expectation
from batches.words import organisation
from staff.http import StaffRequest

PER_PAGE = 25
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """An organisation: when it usually sends on each day of the week, how long its batches take, what is expected of it."""

    organization_id: UUID
    usual: Sequence[tuple[date, time | None]]  # from Monday on
    within: timedelta | None
    said: Expectation | None
    form: ExpectationForm

    @property
    def weekdays(self) -> str:
        """On which it is expected to send, as a person has said."""
        return ", ".join(str(WEEKDAYS_ABBR[each]) for each in sorted(self.said.weekdays)) if self.said else ""


@require_safe
def rhythm(request: StaffRequest) -> HttpResponse:
    """All state stands in the address: the `day`, a part of a `name`, the `page`."""
    return _page(request)


@require_http_methods(["GET", "HEAD", "POST"])
def expect(request: StaffRequest, organization_id: UUID) -> HttpResponse:
    """From now on this is expected of the organisation. Back to where it was said.

    The address stays in the browser after a form that cannot be taken, and leads back there as well.
    """
    back = redirect(f"{reverse('rhythm', query=request.GET)}#sender-{organization_id}")
    if request.method != "POST":
        return back
    if organization_id not in learnt.senders(RhythmForm(request.GET).shown_day):
        raise Http404
    said = Expectation.objects.filter(pk=organization_id).first() or Expectation(pk=organization_id)
    form = ExpectationForm(request.POST, expectation=said)
    if not form.is_valid():
        point_at_what_is_wrong(form)
        return _page(request, wrong=form)
    form.set(request.user, timezone.now())
    messages.info(request, gettext("What is expected of %(name)s is saved.") % {"name": organisation(organization_id)})
    return back


def _page(request: StaffRequest, wrong: ExpectationForm | None = None) -> HttpResponse:
    form, now = RhythmForm(request.GET), timezone.now()
    day = form.shown_day
    found = _named(form.shown_name, learnt.senders(day))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    missing = learnt.missing(day, now)
    said = _said_of({*shown, *(each.organization_id for each in missing)})
    context = {
        "form": form,
        "wrong": wrong,
        "day": day,
        "before": day - ONE_DAY,
        "after": day + ONE_DAY,
        "is_today": day == form.today,
        "holiday": holiday(day),
        "missing": [(each, said.get(each.organization_id)) for each in missing],
        "page": page,
        "week": _week_from(day),
        "lines": _lines(shown, day, now, said, wrong),
        "considered": learnt.CONSIDERED,
        "regular": learnt.REGULAR,
        "weeks": learnt.LEARNT_WITHIN // WEEK,
    }
    return render(request, "batches/rhythm.html", context, status=422 if wrong else 200)


def _named(name: str, organization_ids: Collection[UUID]) -> list[UUID]:
    """Those in whose name or ID this stands, by name."""
    found = [(organisation(each).casefold(), each) for each in organization_ids]
    return [each for called, each in sorted(found) if name in called or name in str(each)]


def _said_of(organization_ids: Collection[UUID]) -> dict[UUID, Expectation]:
    return Expectation.objects.select_related("set_by").in_bulk(list(organization_ids))


def _week_from(day: date) -> list[date]:
    """The day and the six after it, in the order of a week."""
    return sorted((day + number * ONE_DAY for number in range(7)), key=date.weekday)


def _lines(
    organization_ids: Sequence[UUID],
    day: date,
    now: datetime,
    said: dict[UUID, Expectation],
    wrong: ExpectationForm | None,
) -> list[Line]:
    week = _week_from(day)
    usual = {
        (each.organization_id, each.day): each.habit.by
        for each in learnt.expected(week, organization_ids)
        if each.habit.is_usual
    }
    within = learnt.usually_within(organization_ids, learnt.learnt_from(now))
    return [
        Line(
            each,
            [(weekday, usual.get((each, weekday))) for weekday in week],
            within[each],
            said.get(each),
            _form_of(said.get(each) or Expectation(pk=each), wrong),
        )
        for each in organization_ids
    ]


def _form_of(expectation: Expectation, wrong: ExpectationForm | None) -> ExpectationForm:
    return wrong if wrong and wrong.instance.pk == expectation.pk else ExpectationForm(expectation=expectation)
