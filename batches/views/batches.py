"""The list of batches: all that we know, or those that somebody pasted, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from batches.forms import MOST_IDS, BatchFilter, find_batch_ids
from batches.forms.batches import to_do
from batches.forms.narrowings import ALL, MINE, TO_DO, UNRESOLVED, WAITING
from batches.forms.saved_views import NewViewForm
from batches.models import Batch, BatchCause, BatchQuerySet, Cause, SavedView
from batches.rhythm import mark_stuck
from batches.views.live import nothing_new, stamp_of
from batches.views.newest import key_of, older_than
from staff.http import StaffRequest
from staff.models import Person

PER_PAGE = 50
MOST_COUNTED = 100  # more than that is more than that

NOTHING_TO_DO: dict[str, str | Promise] = {
    UNRESOLVED: _("Nothing is unresolved."),
    MINE: _("Nothing is yours. Take a failed batch, and it stands here."),
    WAITING: _("Nothing waits for anybody."),
}


@dataclass(frozen=True)
class Shortcut:
    """A list of what there is to do, and how many batches it has, where that is told."""

    name: str
    label: str | Promise
    count: int | None

    @property
    def query(self) -> str:
        return f"triage={self.name}"

    @property
    def shown(self) -> str:
        return "" if self.count is None else capped(self.count)


def capped(count: int) -> str:
    """A number of what there is to do, as far as it matters how much that is."""
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)


@require_safe
def batches(request: StaffRequest) -> HttpResponse:
    """All state stands in the address: filters, the key of the page (`after`), the IDs of a pasted list (`id`)."""
    if not request.GET and (view := _default_of(request.user)):
        return redirect(view)
    form = BatchFilter(request.GET, person=request.user)
    wanted = find_batch_ids(" ".join(request.GET.getlist("id")[:MOST_IDS]))
    found = form.filter(Batch.objects.visible_to(request.user))
    if wanted:
        found = found.filter(pk__in=wanted)
    # One more than fits tells whether there is a next page.
    after = request.GET.get("after", "")
    page = list(older_than(found, after).newest_first().select_related("owner")[: PER_PAGE + 1])
    rows = page[:PER_PAGE]
    mark_stuck(rows, timezone.now())
    stamp = stamp_of(rows)
    if nothing_new(request, stamp):
        return HttpResponse(status=204)
    context = {
        "form": form,
        "lines": _with_top_cause(rows),
        "wanted": wanted,
        "stamp": stamp,
        # New batches appear at the top by themselves.
        "is_live": not (wanted or after) or any(batch.is_followed for batch in rows),
        "empty": _("No batch fits.") if wanted or after else _empty(form),
        "count": found.count() if form.is_counted else None,
        "next": key_of(rows[-1].submitted_at, rows[-1].pk) if len(page) > PER_PAGE else "",
        **_ways(request.user, form),
    }
    return render(request, "batches/batches.html#list" if request.htmx else "batches/batches.html", context)


def _empty(form: BatchFilter) -> str | Promise:
    """What stands in the place of batches that there are not."""
    return next((said for name, said in NOTHING_TO_DO.items() if form.kept == f"triage={name}"), _("No batch fits."))


def _default_of(person: Person) -> SavedView | None:
    """The view with which the list opens; one that is shared no longer is nobody else's."""
    if person.default_view_id is None:
        return None
    return SavedView.objects.offered_to(person).filter(pk=person.default_view_id).first()


def _ways(person: Person, form: BatchFilter) -> dict[str, Any]:
    """The other lists to look at."""
    views = list(SavedView.objects.offered_to(person).select_related("person"))
    return {
        "shortcuts": [Shortcut(name, label, _how_many(name, person, form)) for name, label in TO_DO.items()],
        "views": views,
        "current": _current(form, views),
        "view_form": NewViewForm(person=person),
    }


def _how_many(name: str, person: Person, form: BatchFilter) -> int | None:
    """How much there is to do, of all batches: in a narrowed list it would be taken for what there is in it."""
    if name == ALL or form.is_narrowed:
        return None
    return _count(to_do(Batch.objects.visible_to(person), name, person))


def _current(form: BatchFilter, views: Sequence[SavedView]) -> str:
    """The query of the tab that is open. Those of what there is to do stay within a narrowed list."""
    if form.is_narrowed and form.kept not in {view.query for view in views}:
        return f"triage={form.what_to_do}"
    return "" if form.kept == f"triage={ALL}" and form.data.get("id") else form.kept


def _with_top_cause(batches: Sequence[Batch]) -> list[tuple[Batch, Cause | None]]:
    """Each with what most of its error rows have in common."""
    failed = [batch.pk for batch in batches if batch.failed_objects]
    top = BatchCause.objects.top_of(failed)
    return [(batch, top.get(batch.pk)) for batch in batches]


def _count(batches: BatchQuerySet) -> int:
    # In the order of the indexes: in any other PostgreSQL reads the table until it has met enough of them.
    return batches.newest_first()[: MOST_COUNTED + 1].count()
