"""What messages say: counts, names of organisations from the settings, times and links. No text from Amili stands in them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from batches.alerts.messages import Text
from batches.models import Alert, Batch
from batches.words import NO_ORGANIZATION, NONE_NAMED, AlertKind, Outcome, organisation

MOST_LINES = 20
"""More are in a list that the message leads to."""

type Line = Callable[[Alert], str]

_BEGUN: Mapping[AlertKind, str | Promise] = {
    AlertKind.WATCHED: ngettext_lazy(
        "Finished: %(n)s batch that you watch", "Finished: %(n)s batches that you watch", "n"
    ),
    AlertKind.FAILED: ngettext_lazy("Failed: %(n)s batch", "Failed: %(n)s batches", "n"),
    AlertKind.NEW_CAUSE: ngettext_lazy("New: %(n)s cause of failures", "New: %(n)s causes of failures", "n"),
    AlertKind.SHARE: ngettext_lazy("Many failures: %(n)s organisation", "Many failures: %(n)s organisations", "n"),
    AlertKind.STUCK: ngettext_lazy("Stuck: %(n)s batch", "Stuck: %(n)s batches", "n"),
    AlertKind.MISSING: ngettext_lazy(
        "Missing: %(n)s organisation has sent nothing", "Missing: %(n)s organisations have sent nothing", "n"
    ),
    AlertKind.AWAY: AlertKind.AWAY.label,
}
_OVER: Mapping[AlertKind, str | Promise] = {
    AlertKind.FAILED: ngettext_lazy(
        "All clear: %(n)s failed batch is dealt with", "All clear: %(n)s failed batches are dealt with", "n"
    ),
    AlertKind.NEW_CAUSE: ngettext_lazy(
        "All clear: %(n)s new cause is dealt with", "All clear: %(n)s new causes are dealt with", "n"
    ),
    AlertKind.SHARE: ngettext_lazy(
        "All clear: fewer failures of %(n)s organisation", "All clear: fewer failures of %(n)s organisations", "n"
    ),
    AlertKind.STUCK: ngettext_lazy(
        "All clear: %(n)s batch is no longer stuck", "All clear: %(n)s batches are no longer stuck", "n"
    ),
    AlertKind.MISSING: ngettext_lazy(
        "All clear: %(n)s organisation is no longer missing",
        "All clear: %(n)s organisations are no longer missing",
        "n",
    ),
    AlertKind.AWAY: _("All clear: Amili answers again"),
}


def told(kind: AlertKind, first: Sequence[Alert], count: int, *, is_over: bool) -> Text:
    """Of so many alerts of one kind, that they have begun or are over, with the `first` MOST_LINES of them by name."""
    subject = (_OVER if is_over else _BEGUN)[kind] % {"n": count}
    line_of = _OVER_LINES.get(kind, _organization) if is_over else _LINES[kind]
    by_link = groupby(sorted(first, key=_rank), _link_of)
    paragraphs = ["\n".join([*map(line_of, same), link]) for link, same in by_link]
    if count > len(first):
        paragraphs.append(_more(kind, count - len(first)))
    return Text(subject, "\n\n".join([*paragraphs, footer()]))


def footer() -> str:
    """The last lines of every message."""
    return "\n".join(["-- ", gettext("You asked to hear of this. What you hear of, how and when:"), link_to("alerts")])


def link_to(name: str, *arguments: object, **query: object) -> str:
    """The whole address of a page."""
    return f"{settings.SITE_URL}{reverse(name, args=arguments)}{f'?{urlencode(query)}' if query else ''}"


def number(count: float) -> str:
    return number_format(count, force_grouping=True)


def day_name(day: date) -> str:
    """Friday 20.11.2026"""
    return f"{date_format(day, 'l')} {date_format(day, 'SHORT_DATE_FORMAT')}"


def _rank(alert: Alert) -> tuple[int, str]:
    """The causes with most rows first, all else by organisation."""
    return -(alert.cause.row_count if alert.cause else 0), _organization(alert)


def _more(kind: AlertKind, rest: int) -> str:
    return "\n".join([gettext("and %(n)s more:") % {"n": number(rest)}, _LISTS[kind]()])


# ------------------------------------------------------------------------------------------ lines


def _organization(alert: Alert) -> str:
    return organisation(alert.organization_id)


def _outcome(alert: Alert) -> str:
    batch = _batch(alert)
    given = {"organisation": _organization(alert), "outcome": str(Outcome(batch.outcome).label).lower()}
    if batch.ended_at is None:
        return gettext("%(organisation)s: is no longer asked about") % given
    words = ngettext(
        "%(organisation)s: %(outcome)s %(at)s, %(good)s of %(n)s object succeeded",
        "%(organisation)s: %(outcome)s %(at)s, %(good)s of %(n)s objects succeeded",
        batch.objects_known,
    )
    counts = {"good": number(batch.succeeded_objects), "n": number(batch.objects_known)}
    return words % {**given, **counts, "at": _moment(batch.ended_at)}


def _cause(alert: Alert) -> str:
    cause = alert.cause
    if cause is None:
        raise ValueError("an alert of a cause has one")
    rows = ngettext("%(n)s error row", "%(n)s error rows", cause.row_count) % {"n": number(cause.row_count)}
    batches = ngettext("%(n)s batch", "%(n)s batches", cause.batch_count) % {"n": number(cause.batch_count)}
    return gettext("%(rows)s in %(batches)s") % {"rows": rows, "batches": batches}


def _share(alert: Alert) -> str:
    return gettext(
        "%(organisation)s: %(failed)s of the day's %(objects)s objects had failed by %(at)s; your limit is %(limit)s %%"
    ) % {
        "organisation": _organization(alert),
        "failed": number(alert.numbers["failed"]),
        "objects": number(alert.numbers["objects"]),
        "at": _moment(alert.opened_at),
        "limit": alert.numbers["limit"],
    }


def _stuck(alert: Alert) -> str:
    given = {"organisation": _organization(alert), "since": _moment(_batch(alert).submitted_at)}
    seconds = alert.numbers.get("usually")
    if not seconds:  # nobody can say
        return gettext("%(organisation)s: running since %(since)s") % given
    usually = _length(timedelta(seconds=seconds))
    words = gettext("%(organisation)s: running since %(since)s, usually done within %(usually)s")
    return words % {**given, "usually": usually}


def _missing(alert: Alert) -> str:
    return gettext("%(organisation)s: nothing on %(day)s, usually sends by %(by)s") % {
        "organisation": _organization(alert),
        "day": day_name(date.fromisoformat(alert.numbers["day"])),
        "by": alert.numbers["by"].replace(":", "."),
    }


def _away(alert: Alert) -> str:
    since = datetime.fromisoformat(alert.numbers["since"])
    return gettext("No usable answer since %(since)s. What the pages show may be older.") % {"since": _moment(since)}


_LINES: Mapping[AlertKind, Line] = {
    AlertKind.WATCHED: _outcome,
    AlertKind.FAILED: _outcome,
    AlertKind.NEW_CAUSE: _cause,
    AlertKind.SHARE: _share,
    AlertKind.STUCK: _stuck,
    AlertKind.MISSING: _missing,
    AlertKind.AWAY: _away,
}
_OVER_LINES: Mapping[AlertKind, Line] = {
    AlertKind.NEW_CAUSE: lambda _alert: gettext("Corrected or ignored, or no batch has it any more"),
    AlertKind.STUCK: _outcome,
    AlertKind.AWAY: lambda _alert: gettext("What was missed meanwhile is being asked about now."),
}


# ------------------------------------------------------------------------------------------ links


def _link_of(alert: Alert) -> str:
    if alert.batch_id:
        return link_to("batch", alert.batch_id)
    if alert.cause_id:
        return link_to("cause", alert.cause_id)
    if alert.kind == AlertKind.MISSING:
        return link_to("rhythm", day=alert.numbers["day"])
    if alert.kind == AlertKind.SHARE:
        sender = NONE_NAMED if alert.organization_id == NO_ORGANIZATION else alert.organization_id
        return link_to("batches", finished=alert.numbers["day"], organisation=sender, objects="failed")
    return link_to("home")


_LISTS: Mapping[AlertKind, Callable[[], str]] = {
    AlertKind.WATCHED: lambda: link_to("home"),
    AlertKind.FAILED: lambda: link_to("batches", triage="unresolved", status=Outcome.FAILED.value),
    AlertKind.NEW_CAUSE: lambda: link_to("causes"),
    AlertKind.SHARE: lambda: link_to("outcomes"),
    AlertKind.STUCK: lambda: link_to("batches", stuck="now"),
    AlertKind.MISSING: lambda: link_to("rhythm"),
    AlertKind.AWAY: lambda: link_to("home"),
}


# ------------------------------------------------------------------------------------------ small parts


def _batch(alert: Alert) -> Batch:
    if alert.batch is None:
        raise ValueError("an alert of a batch has one")
    return alert.batch


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def _length(length: timedelta) -> str:
    """In whole minutes, rounded up: what is done within it must be."""
    hours, minutes = divmod(-(-length // timedelta(minutes=1)), 60)
    return (f"{hours}\xa0h " if hours else "") + f"{minutes}\xa0min"
