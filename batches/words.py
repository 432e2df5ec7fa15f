"""The words that we use for what became of a batch and of our questions about it."""

from collections.abc import Sequence
from math import ceil
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils.formats import number_format
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

NO_ORGANIZATION = UUID(int=0)
"""Stands in keys for the organisation of a batch that names none."""

NONE_NAMED = "none"
"""An organisation, or a type, in the list's filters: of those that name none."""

LONGEST_FILTER = 200  # characters; a type may be any text

AWAY_MINUTES = 15
"""For so long Amili does not answer before somebody is told."""


class Outcome(models.TextChoices):
    """Our one honest word for what became of a batch."""

    QUEUED = "queued", _("Queued")
    IN_PROGRESS = "in_progress", _("In progress")
    SUCCEEDED = "succeeded", _("Succeeded")
    PARTIAL = "partial", _("Partly succeeded")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")


FINISHED = (Outcome.SUCCEEDED, Outcome.PARTIAL, Outcome.FAILED)
UNFINISHED = tuple(outcome for outcome in Outcome if outcome not in FINISHED)


class Trouble(models.TextChoices):
    """Why the last question about a batch was not answered; most values are those of `batches.amili.errors`."""

    NONE = "", _("None")
    NOT_THERE = "not_there", _("Not found at Amili")
    GONE = "gone", _("No longer at Amili")
    FORBIDDEN = "forbidden", _("No permission")
    KEYS_REFUSED = "keys_refused", _("Amili refuses our credentials")
    REFUSED = "refused", _("Amili turned the question down")
    CONFLICT = "conflict", _("Amili reports a conflict")
    UNREACHABLE = "unreachable", _("Amili unreachable")
    BUSY = "busy", _("Amili asks us to wait")
    NOT_UNDERSTOOD = "not_understood", _("Answer not understood")
    OWN_FAULT = "own_fault", _("A fault of this dashboard")


class Doubt(models.TextChoices):
    """Where the parts of an answer do not add up."""

    SUCCESS_WITH_FAILURES = (
        "success_with_failures",
        _("Amili calls this batch a success, but lists objects that failed."),
    )
    FAILED_WITH_SUCCESSES = (
        "failed_with_successes",
        _("Amili calls this batch failed, but lists objects that succeeded."),
    )
    PARTIAL_WITHOUT_FAILURES = (
        "partial_without_failures",
        _("Amili calls this batch partly succeeded, but lists no object that failed."),
    )
    PARTIAL_WITHOUT_SUCCESSES = (
        "partial_without_successes",
        _("Amili calls this batch partly succeeded, but lists no object that succeeded."),
    )
    FINISHED_WITHOUT_OBJECTS = (
        "finished_without_objects",
        _("Amili says that this batch is finished, but lists no objects."),
    )
    QUEUED_WITH_OBJECTS = "queued_with_objects", _("Amili calls this batch queued, but lists objects already.")
    LISTS_DISAGREE = (
        "lists_disagree",
        _("The failed items and the error rows are not about the same number of objects."),
    )
    UNKNOWN_STATUS = "unknown_status", _("Amili sent a status that we do not know. We count the batch as unfinished.")


class Source(models.TextChoices):
    """Who made us ask."""

    CHECK = "check", _("Scheduled check")
    PERSON = "person", _("Asked by a person")
    COMMAND = "command", _("Asked from the command line")
    WEBHOOK = "webhook", _("Amili's webhook")
    DISCOVERY = "discovery", _("Found in Amili's list")


class TriageState(models.TextChoices):
    """How far the work on a failed batch, or on a cause, has come."""

    NEW = "new", _("New")
    LOOKING = "looking", _("Looking")
    WAITING_FOR_CREDITOR = "waiting_creditor", _("Waiting for creditor")
    WAITING_FOR_AMILI = "waiting_amili", _("Waiting for Amili")
    CORRECTED = "corrected", _("Corrected")
    IGNORED = "ignored", _("Ignored")


class AlertKind(models.TextChoices):
    """What is worth word to people who are not looking."""

    WATCHED = "watched", _("A batch that I watch has finished")
    FAILED = "failed", _("A batch has failed")
    NEW_CAUSE = "new_cause", _("A cause that was never seen before")
    SHARE = "share", _("Too many objects of an organisation fail")
    STUCK = "stuck", _("A batch is stuck")
    MISSING = "missing", _("An organisation has not sent what it usually sends")
    AWAY = "away", format_lazy(_("Amili has been unreachable for {n} minutes"), n=AWAY_MINUTES)


WAITING = (TriageState.WAITING_FOR_CREDITOR, TriageState.WAITING_FOR_AMILI)
RESOLVED = (TriageState.CORRECTED, TriageState.IGNORED)


def ranges_text(ranges: Sequence[Sequence[int]]) -> str:
    """Of object indices: [[0, 41], [57, 57]] -> 0–41, 57"""
    return ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in ranges)


def organisation(organization_id: UUID | None) -> str:
    """The name from the settings, on one line, else the beginning and end of the ID."""
    if organization_id in {None, NO_ORGANIZATION}:
        return gettext("No organisation")
    name = settings.AMILI_ORGANIZATIONS.get(organization_id)
    return " ".join(name.split()) if name else short_id(organization_id)


def short_id(uuid: UUID | None) -> str:
    """5579c111-…-3189 -> 5579…3189, where space is short."""
    return f"{str(uuid)[:4]}…{str(uuid)[-4:]}"


def failed_share(part: float) -> str:
    """0.0189 -> 1.9 %. Rounded up, so that 0 % means none."""
    return _percent(_tenths(part))


def succeeded_share(part: float) -> str:
    """The rest of it: rounded down, so that 100 % means all."""
    return _percent(1000 - _tenths(part))


def _tenths(part: float) -> int:
    """Of a percent; a share that is exact in them is not rounded up for what floats are."""
    return ceil(round(1000 * part, 6))


def _percent(tenths: int) -> str:
    return f"{number_format(tenths / 10, decimal_pos=0 if tenths % 10 == 0 else 1)}\xa0%"
