"""What is written of a day's outcomes."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.exports.table import Column, Row, Table
from batches.models import NO_ORGANIZATION
from batches.outcomes import DayOutcomes, Part, whole
from batches.trend import TrendDay


def outcome_tables(found: DayOutcomes, days: Sequence[TrendDay]) -> list[Table]:
    """All numbers of the page of a day, and the days up to it, the latest first."""
    return [
        Table("numbers", _("Numbers"), _NUMBER, _numbers(found)),
        Table("days", _("Days"), _DAY, map(_day, reversed(days))),
        Table("organisations", _("Organisations"), _ORGANISATION, map(_organisation, found.by_organization)),
        Table("types", _("Types"), _TYPE, ([part.key, *part.numbers] for part in found.by_type)),
        Table("causes", _("Causes"), _CAUSE, _causes(found)),
    ]


def _numbers(found: DayOutcomes) -> Iterator[Row]:
    named = {
        gettext("Batches finished"): found.batches,
        gettext("Objects succeeded"): found.succeeded,
        gettext("Objects failed"): found.failed,
        gettext("Still unresolved; usually: left now of earlier weeks"): found.unresolved,
        gettext("Running"): found.running,
        gettext("Stuck"): found.stuck,
        gettext("Missing"): found.missing,
    }
    for name, compared in named.items():
        yield found.day, name, compared.now, _whole(compared.usual)
    share = gettext("Share of objects that failed")
    yield found.day, share, _share(found.share.now), _share(found.share.usual)


def _whole(usual: float | None) -> int | None:
    return None if usual is None else whole(usual)


def _share(part: float | None) -> float | None:
    """As exact as a hundredth of a percent."""
    return None if part is None else round(part, 4)


def _day(day: TrendDay) -> Row:
    shown = [day.day, day.batches, day.succeeded, day.partial, day.failed, day.good, day.bad, _share(day.share)]
    return [*shown, day.median, day.p95]


def _organisation(part: Part) -> Row:
    uuid = part.key if isinstance(part.key, UUID) and part.key != NO_ORGANIZATION else None
    name = settings.AMILI_ORGANIZATIONS.get(uuid) if uuid else None
    return name, uuid, *part.numbers


def _causes(found: DayOutcomes) -> Iterator[Row]:
    words = {
        "new": gettext("New"),
        "more": gettext("More than usual"),
        "less": gettext("Less than usual"),
        "as_usual": gettext("As usual"),
    }
    for each in found.causes:
        yield each.cause.pk, each.cause.template, each.rows, each.batches, _whole(each.usual), words[each.trend]


_SUMS = [
    Column("batches", _("Batches"), width=12),
    Column("succeeded", _("Objects succeeded"), width=18),
    Column("failed", _("Objects failed"), width=16),
]

_NUMBER = [
    Column("day", _("Day"), width=12),
    Column("number", _("Number"), width=48),
    Column("now", _("On this day"), width=14),
    Column("usual", _("Usually"), width=14),
]

_DAY = [
    Column("day", _("Day"), width=12),
    Column("batches", _("Batches"), width=12),
    Column("succeeded", _("Succeeded"), width=12),
    Column("partial", _("Partly succeeded"), width=16),
    Column("failed", _("Failed"), width=12),
    Column("objects_succeeded", _("Objects succeeded"), width=18),
    Column("objects_failed", _("Objects failed"), width=16),
    Column("share", _("Share of objects that failed"), width=26),
    Column("median", _("Median seconds to finish"), width=24),
    Column("p95", _("95 % finished within seconds"), width=28),
]

_ORGANISATION = [
    Column("organisation", _("Organisation"), width=24),
    Column("organization_id", _("Organisation ID"), width=38),
    *_SUMS,
]

_TYPE = [Column("type", _("Type"), width=24), *_SUMS]

_CAUSE = [
    Column("cause_id", _("Cause number"), width=14),
    Column("cause", _("Cause"), width=60),
    Column("rows", _("Error rows"), width=12),
    Column("batches", _("Batches"), width=12),
    Column("usual", _("Usual error rows"), width=18),
    Column("change", _("Change"), width=18),
]
