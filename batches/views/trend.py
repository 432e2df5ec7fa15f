"""The trend: its drawing on a page, and as a picture to take along."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from batches.chart import Chart, chart_of
from batches.forms.outcomes import PERIODS, TABLE, OutcomesForm
from batches.trend import TrendDay, trend
from batches.views.downloads import checked, readable
from staff.http import StaffRequest


def chart_on_page(days: Sequence[TrendDay], form: OutcomesForm) -> Chart:
    """What `batches/trend.html` shows: each day leads to its page, with a trend as long as this one, and shown alike."""
    kept: dict[str, int | str] = {} if form.shown_days == PERIODS[0] else {"days": form.shown_days}
    if form.is_table:
        kept["as"] = TABLE
    return chart_of(days, lambda day: f"?{urlencode({'day': day, **kept})}")


@require_safe
@readable
def picture(request: StaffRequest) -> HttpResponse:
    """The drawing alone, with its title and colours in it."""
    form = checked(OutcomesForm(request.GET), reverse("outcomes"))
    days = trend(form.shown_day, form.shown_days)
    context = {"chart": chart_of(days, str), "first": days[0].day, "last": days[-1].day}
    response = render(request, "batches/trend.svg", context, content_type="image/svg+xml")
    name = f"amili-outcomes-{days[0].day}-to-{days[-1].day}.svg"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
