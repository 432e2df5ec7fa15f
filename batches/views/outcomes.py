"""The outcomes of a day: what became of the batches that finished on it, beside what is usual."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from batches import exports
from batches.days import working_day_before
from batches.exports import Format
from batches.forms.outcomes import OutcomesForm
from batches.models import OutcomeDay
from batches.outcomes import DayOutcomes, outcomes_of, pulse
from batches.trend import trend
from batches.views.downloads import checked, download
from batches.views.exports import exported
from batches.views.live import nothing_new, stamp_of_text
from batches.views.trend import chart_on_page
from staff.http import StaffRequest

MOST_PARTS, MOST_CAUSES = 10, 5  # shown unless all are asked for
MOST_PRINTED = 8  # parts, so that everything is on one sheet

FILES = [
    ("numbers", _("Numbers")),
    ("days", _("Days")),
    ("organisations", _("Organisations")),
    ("types", _("Types")),
    ("causes", _("Causes")),
]
"""The tables that make a file each."""


@dataclass(frozen=True)
class Shown[Each]:
    """The first of a list, or all of it."""

    items: Sequence[Each]
    count: int
    printed: int
    opened: Collection[str] = ()  # the lists that are shown whole when this one is too

    @property
    def is_whole(self) -> bool:
        return len(self.items) == self.count

    @property
    def unprinted(self) -> int:
        return max(self.count - self.printed, 0)


@require_safe
def outcomes(request: StaffRequest) -> HttpResponse:
    """All state stands in the address: the `day`, the `days` of the trend, `as` a table, `all` of which lists."""
    form, now = OutcomesForm(request.GET), timezone.now()
    stamp = stamp_of_text(pulse(form.shown_day, now, request.user))  # the trend's other days hardly ever change
    if nothing_new(request, stamp):
        return HttpResponse(status=204)
    whole = request.GET.getlist("all")
    found = outcomes_of(form.shown_day, now, request.user, None if "causes" in whole else MOST_CAUSES)
    days = trend(found.day, form.shown_days)
    context = {
        "form": form,
        "found": found,
        "chart": chart_on_page(days, form),
        "stamp": stamp,
        "now": now,
        "at": "now" if found.is_today else found.day.isoformat(),
        "weeks": len(found.weeks),
        "last": None if found.batches.now else _last_before(found.day),
        "working_day": working_day_before(found.day),
        **_lists(found, whole),
        **_ways(found.day, form.asked_days, request.GET),
    }
    return render(request, "batches/outcomes.html#outcomes" if request.htmx else "batches/outcomes.html", context)


@download
def export(request: StaffRequest, file_format: Format, part: str = "") -> StreamingHttpResponse:
    """The numbers of the page, or one part of them; of all, a format of one table holds the days."""
    form = checked(OutcomesForm(request.GET), reverse("outcomes"))
    found = outcomes_of(form.shown_day, timezone.now(), request.user)
    tables = exports.outcome_tables(found, trend(found.day, form.shown_days))
    if not part and not file_format.holds_many:
        part = "days"
    wanted = [table for table in tables if part in ("", table.name)]
    if not wanted:
        raise Http404
    asked = {"day": found.day.isoformat(), "days": f"{form.shown_days} days"}
    return exported(file_format, ["outcomes", part], asked, wanted, found.day)


def _last_before(day: date) -> date | None:
    """When something last finished."""
    known = OutcomeDay.objects.filter(day__lt=day, batches__gt=0).order_by("-day")
    return known.values_list("day", flat=True).first()


def _lists(found: DayOutcomes, whole: Collection[str]) -> dict[str, Any]:
    parts = (("organisations", found.by_organization), ("types", found.by_type))
    return {
        "causes": Shown(found.causes, found.cause_count, MOST_CAUSES, [*whole, "causes"]),
        **{
            name: Shown(items if name in whole else items[:MOST_PARTS], len(items), MOST_PRINTED, [*whole, name])
            for name, items in parts
        },
    }


def _ways(day: date, days: int | None, asked: QueryDict) -> dict[str, Any]:
    """Other days, with what else was asked for; and the files of this one."""
    kept = [("days", days)] if days else []
    return {
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "days": days,
        "kept": kept + [(name, value) for name in ("as", "all") for value in asked.getlist(name)],
        "files": FILES,
    }
