"""What was concluded about the base of the indices, and why, in words."""

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext

from batches.models import IndexBase
from batches.submission.answered import Silence
from batches.submission.base import Base, Evidence, How
from batches.submission.meeting import Meeting


def reasons_of(meeting: Meeting) -> list[str]:
    """The conclusion first, then what speaks for it and against the other; nothing where there is no error row."""
    if not (meeting.join.failed or meeting.join.unmet):
        return []
    return [_conclusion(meeting), *_findings(meeting.base)]


def estrangement_of(meeting: Meeting) -> list[str]:
    """That this is another file than the one that was sent, and why that is thought; nothing where it is not."""
    if meeting.absence:
        return [gettext("This is not the file that was sent as this batch."), lack_of(meeting)]
    if not meeting.base.fits_neither:
        return []
    if meeting.absence.is_minor:
        said = gettext(
            "The rows of this file are in another order than they were sent in, or some were added or removed:"
            " use it as it was sent."
        )
    else:
        said = gettext("Object indices do not fit this file, as if it were not the one that was sent as this batch.")
    return [said, *_findings(meeting.base)]


def lack_of(meeting: Meeting) -> str:
    """How many of the invoices that the answer names are not in the file; nothing where none is missing."""
    absence = meeting.absence
    if absence.missing and absence.succeeded == 1:
        text = gettext("The one succeeded invoice is not in this file.")
    elif absence.missing:
        text = ngettext(
            "%(n)s of %(all)s succeeded invoices is not in this file.",
            "%(n)s of %(all)s succeeded invoices are not in this file.",
            absence.missing,
        )
    elif absence.failed:
        text = ngettext(
            "The one invoice that the errors name is not in this file.",
            "None of the %(failed)s invoices that the errors name is in this file.",
            absence.failed,
        )
    else:
        return ""
    numbers = {"n": absence.missing, "all": absence.succeeded, "failed": absence.failed}
    return text % {name: number_format(number, force_grouping=True) for name, number in numbers.items()}


def silence_of(meeting: Meeting) -> str:
    """Why nobody can tell which objects the answer never mentions."""
    match meeting.join.silence:
        case Silence.UNFINISHED:
            return gettext("Which objects Amili never mentions can be told when the batch is finished.")
        case Silence.UNLISTED:
            return gettext(
                "The answer has no list of what succeeded, or one that cannot be true, so that nobody can tell which"
                " objects it never mentions."
            )
        case Silence.UNNAMED:
            return gettext(
                "Amili's list of what succeeded and this file do not both name every invoice, so that nobody can tell"
                " which objects it never mentions."
            )
        case None:
            return ""


def relearned(meeting: Meeting, before: IndexBase) -> str:
    """That what was remembered for the organisation has given way to what this file shows."""
    said = gettext(
        "This file shows that indices count from %(base)d. That is remembered for this organisation from now on."
    )
    if before.decided_by:
        instead = gettext("Until now it was %(base)d, as %(person)s chose on %(day)s.")
    else:
        instead = gettext("Until now it was %(base)d, as another file showed on %(day)s.")
    return f"{said % {'base': meeting.base.value}} {instead % _about(before)}"


def _conclusion(meeting: Meeting) -> str:
    number = {"base": meeting.base.value}
    match meeting.base.how:
        case How.NEEDLESS if not meeting.join.failed and meeting.join.unmet:
            return gettext(
                "The error rows name neither an index nor an invoice number: nobody can tell which objects they are about."
            )
        case How.NEEDLESS:
            return gettext("The error rows are matched by invoice number; no index had to be counted.")
        case How.FOUND:
            return gettext("Indices count from %(base)d.") % number
        case How.CHOSEN:
            return (
                gettext("Indices are counted from %(base)d because you chose so, for as long as this file is kept.")
                % number
            )
        case How.REMEMBERED:
            said = gettext("From where indices count cannot be told from this file.")
            return f"{said} {_memory(meeting)}"
        case How.ASSUMED:
            return (
                gettext(
                    "From where indices count cannot be told from this file. That it is %(base)d is an assumption: compare"
                    " some objects below with their messages before you send anything."
                )
                % number
            )


def _memory(meeting: Meeting) -> str:
    known = meeting.remembered
    if known is None:  # forgotten a moment ago
        return ""
    if known.decided_by is None:
        return gettext("Counted from %(base)d, as another file of this organisation showed on %(day)s.") % _about(known)
    return gettext("Counted from %(base)d, as %(person)s chose for this organisation on %(day)s.") % _about(known)


def _about(known: IndexBase) -> dict[str, object]:
    person = known.decided_by
    return {
        "base": known.base,
        "day": date_format(localtime(known.decided_at), "SHORT_DATE_FORMAT"),
        "person": (person.get_full_name() or person.get_username()) if person else "",
    }


def _findings(base: Base) -> list[str]:
    return [sentence for each in base.evidence for sentence in (_for(each), _against(each)) if sentence]


def _for(evidence: Evidence) -> str:
    if not evidence.named:
        return ""
    text = ngettext(
        "Counted from %(base)d, %(n)d error row names the invoice that it points at.",
        "Counted from %(base)d, %(n)d error rows name the invoice that they point at.",
        evidence.named,
    )
    return text % {"base": evidence.base, "n": evidence.named}


def _against(evidence: Evidence) -> str:
    parts = []
    if evidence.succeeded:
        text = ngettext(
            "%(n)d failed index would point at an invoice that succeeded",
            "%(n)d failed indices would point at invoices that succeeded",
            evidence.succeeded,
        )
        parts.append(text % {"n": evidence.succeeded})
    if evidence.outside:
        text = ngettext(
            "%(n)d failed index would point outside of the file",
            "%(n)d failed indices would point outside of the file",
            evidence.outside,
        )
        parts.append(text % {"n": evidence.outside})
    if not parts:
        return ""
    return gettext("Counted from %(base)d, %(what)s.") % {"base": evidence.base, "what": gettext(" and ").join(parts)}
