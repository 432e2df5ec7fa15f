"""Every list, and a whole batch, as a file: all rows that fit the filters in the address, and not one page of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.http import Http404, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext

from batches import exports
from batches.exports import FORMATS, Format, Table
from batches.forms import MOST_IDS, BatchFilter, CauseFilter, find_batch_ids
from batches.models import Batch, BatchCause, Cause, SucceededItem
from batches.views.downloads import checked, download
from batches.views.tabs import TABS, RowsTab
from staff.http import StaffRequest
from staff.models import Person

MOST_OF_NAME = 40  # characters of each part of a file's name
MOST_NAME = 180
# filters whose values say nothing in a file's name without theirs
UNCLEAR = {"cause", "finished", "index", "objects", "open", "owner", "stuck"}
FREE = {"text", "object"}  # filters that hold what a person typed


class FormatConverter:
    """The last part of an address: which format is wanted."""

    regex = "|".join(name.replace(".", r"\.") for name in FORMATS)

    def to_python(self, value: str) -> Format:
        return FORMATS[value]

    def to_url(self, value: str) -> str:
        return value


@download
def batches(request: StaffRequest, file_format: Format) -> StreamingHttpResponse:
    """The list of batches."""
    form = checked(BatchFilter(request.GET, person=request.user), reverse("batches"))
    found = form.filter(Batch.objects.visible_to(request.user))
    wanted = find_batch_ids(" ".join(request.GET.getlist("id")[:MOST_IDS]))
    if wanted:
        found = found.filter(pk__in=wanted)
    asked = _asked(request.GET, [*form.fields, *(["id"] if wanted else [])])
    return exported(file_format, ["batches"], asked, [exports.batch_list(found.newest_first())])


@download
def batch(request: StaffRequest, batch_id: UUID, file_format: Format) -> StreamingHttpResponse:
    """All that is known of a batch."""
    visible = Batch.objects.visible_to(request.user).filter(pk=batch_id)
    batch = get_object_or_404(visible)
    if not file_format.holds_many:
        raise Http404
    lists = [_rows(tab, batch, QueryDict()) for tab in TABS.values() if isinstance(tab, RowsTab) and tab.shown(batch)]
    causes = exports.causes_of_batch(batch.causes.all())
    tables = [exports.facts_of(visible), causes, *lists, exports.history_of(batch)]
    return exported(file_format, ["batch", str(batch_id)], {}, tables)


@download
def tab(request: StaffRequest, batch_id: UUID, tab: str, file_format: Format) -> StreamingHttpResponse:
    """One list of a batch, without the columns that are hidden."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)
    wanted, asked = TABS.get(tab), dict[str, str]()
    if isinstance(wanted, RowsTab):
        asked = _asked(request.GET, [name for name in wanted.form.base_fields if name != "hide"])
        table = _rows(wanted, batch, request.GET)
    elif tab == "causes":
        table = exports.causes_of_batch(batch.causes.all())
    elif tab == "timeline":
        table = exports.history_of(batch)
    else:
        raise Http404
    return exported(file_format, ["batch", str(batch_id), tab], asked, [table])


@download
def causes(request: StaffRequest, file_format: Format) -> StreamingHttpResponse:
    """The list of causes."""
    form = checked(CauseFilter(request.GET, person=request.user), reverse("causes"))
    found = form.filter(Cause.objects.visible_to(request.user).occurring()).last_seen_first()
    return exported(file_format, ["causes"], _asked(request.GET, form.fields), [exports.cause_list(found)])


@download
def cause(request: StaffRequest, cause_id: int, file_format: Format) -> StreamingHttpResponse:
    """All that is known of a cause."""
    visible = Cause.objects.visible_to(request.user).filter(pk=cause_id)
    lists = _lists_of(get_object_or_404(visible), request.user)
    if not file_format.holds_many:
        raise Http404
    return exported(file_format, ["cause", str(cause_id)], {}, [exports.facts_of_cause(visible), *lists])


@download
def part(request: StaffRequest, cause_id: int, part: str, file_format: Format) -> StreamingHttpResponse:
    """One list of a cause."""
    cause = get_object_or_404(Cause.objects.visible_to(request.user), pk=cause_id)
    wanted = [table for table in _lists_of(cause, request.user) if table.name == part]
    if not wanted:
        raise Http404
    return exported(file_format, ["cause", str(cause_id), part], {}, wanted)


@download
def case(request: StaffRequest, case_id: str, file_format: Format) -> StreamingHttpResponse:
    """Every invoice that we know of a case."""
    invoices = SucceededItem.objects.filter(case_id=case_id, batch__in=Batch.objects.visible_to(request.user))
    if not invoices.exists():
        raise Http404
    return exported(file_format, ["case", case_id], {}, [exports.invoices_of_case(invoices)])


def _lists_of(cause: Cause, person: Person) -> list[Table]:
    """Those of its page; none of them is read before it is written."""
    within = BatchCause.objects.filter(cause=cause, batch__in=Batch.objects.visible_to(person))
    return [
        exports.batches_of_cause(within),
        exports.organisations_of_cause(cause.organizations.all()),
        exports.days_of_cause(cause.days.all()),
        exports.history_of_cause(cause),
    ]


def _rows(tab: RowsTab, batch: Batch, asked: QueryDict) -> Table:
    form = checked(tab.filter_form(asked), reverse("batch-tab", args=[batch.pk, tab.name]))
    found = form.filter(getattr(batch, tab.name).order_by(tab.key))
    return exports.row_list(tab.name, tab.label, found, form.hidden)


def _asked(query: QueryDict, names: Iterable[str]) -> dict[str, str]:
    """The filters in the address, as they were typed."""
    return {name: " ".join(query.getlist(name)) for name in names if query.get(name)}


def exported(
    file_format: Format,
    subject: Sequence[str],
    asked: Mapping[str, str],
    tables: Sequence[Table],
    day: date | None = None,
) -> StreamingHttpResponse:
    """A file that is sent while it is written. What breaks off does so audibly: the connection breaks off with it.

    Its name has the day that it is about, and if there is none, what was asked for and the day on which it was made.
    """
    about: dict[str, Any] = {"list": " ".join(subject), "made_at": timezone.now(), "filters": asked}
    said = [] if day else [_said(name, text) for name, text in asked.items()]
    name = f"{_name([*subject, *said], day or timezone.localdate())}{file_format.ending}"
    return StreamingHttpResponse(
        file_format.write(about, tables),
        content_type=file_format.content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _said(name: str, text: str) -> str:
    """A filter in the name of a file. What somebody looked for may be a debtor's, and does not belong there."""
    if name in FREE:
        return gettext("filtered")
    return f"{name} {text}" if name in UNCLEAR else text


def _name(parts: Iterable[str], day: date) -> str:
    """What is in the file, and of which day."""
    plain = "-".join(filter(None, (slugify(part)[:MOST_OF_NAME].strip("-") for part in ("amili", *parts))))
    return f"{plain[:MOST_NAME].rstrip('-')}-{day.isoformat()}"
