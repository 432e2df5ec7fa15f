"""The words that we use for what became of a batch and of our questions about it."""

from collections.abc import Sequence

from django.db import models
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    """Our one honest word for what became of a batch."""

    QUEUED = "queued", _("Queued")
    IN_PROGRESS = "in_progress", _("In progress")
    SUCCEEDED = "succeeded", _("Succeeded")
    PARTIAL = "partial", _("Partly succeeded")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")


FINISHED = (Outcome.SUCCEEDED, Outcome.PARTIAL, Outcome.FAILED)


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
    AWAY = "away", _("Amili has been unreachable for 15 minutes")


WAITING = (TriageState.WAITING_FOR_CREDITOR, TriageState.WAITING_FOR_AMILI)
RESOLVED = (TriageState.CORRECTED, TriageState.IGNORED)


def ranges_text(ranges: Sequence[Sequence[int]]) -> str:
    """Of object indices: [[0, 41], [57, 57]] -> 0–41, 57"""
    return ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in ranges)
