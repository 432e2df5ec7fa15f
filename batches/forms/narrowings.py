"""The filters of the list of batches that have no field to see: how they are told."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.models import Cause

LONGEST_WORDS = 80  # of a cause
ALL, UNRESOLVED, MINE, WAITING = "all", "unresolved", "mine", "waiting"  # what there is to do, and for whom
TO_DO: Mapping[str, str | Promise] = {
    ALL: _("All"),
    UNRESOLVED: _("Unresolved"),
    MINE: _("Mine"),
    WAITING: _("Waiting"),
}


class Narrowing(NamedTuple):
    """A filter that has no field to see: what it does in words, or what is wrong with it."""

    words: str
    is_wrong: bool
    without: dict[str, str | None]
    """What is to change in the address for it to go."""


def _finished_on(day: date) -> str:
    return gettext("Finished on %(day)s") % {"day": date_format(day)}


def _running_at(day: date) -> str:
    if day >= timezone.localdate():
        return gettext("Running now")
    return gettext("Running at the end of %(day)s") % {"day": date_format(day)}


def _stuck_at(day: date) -> str:
    if day >= timezone.localdate():
        return gettext("Stuck now")
    return gettext("Stuck at the end of %(day)s") % {"day": date_format(day)}


def _with_cause(cause: Cause) -> str:
    return gettext("With the cause “%(text)s”") % {"text": Truncator(cause.template).chars(LONGEST_WORDS)}


def _with_objects(which: str) -> str:
    return gettext("With objects that failed") if which == "failed" else gettext("With objects that succeeded")


WORDS: Mapping[str, Callable[[Any], str]] = {
    "finished": _finished_on,
    "open": _running_at,
    "stuck": _stuck_at,
    "cause": _with_cause,
    "objects": _with_objects,
    "triage": lambda which: str(TO_DO[which]),
}
"""By the name of the filter."""
