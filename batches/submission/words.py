"""What was concluded about the base of the indices, and why, in words."""

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext

from batches.submission.base import Base, Evidence, How
from batches.submission.meeting import Meeting


def reasons_of(meeting: Meeting) -> list[str]:
    """The conclusion first, then what speaks for it and against the other."""
    return [_conclusion(meeting), *_findings(meeting.base)]


def estrangement_of(meeting: Meeting) -> str:
    """That this is another file than the one that was sent, if it shares no invoice with the answer."""
    if not meeting.absence:
        return ""
    count = meeting.absence.succeeded or meeting.absence.failed
    number = number_format(count, force_grouping=True)
    if meeting.absence.succeeded:
        text = ngettext(
            "This is not the file that was sent as this batch: its one succeeded invoice is not in it.",
            "This is not the file that was sent as this batch: none of its %(n)s succeeded invoices is in it.",
            count,
        )
    else:
        text = ngettext(
            "This is not the file that was sent as this batch: the one invoice that its errors name is not in it.",
            "This is not the file that was sent as this batch: none of the %(n)s invoices that its errors name is in it.",
            count,
        )
    return text % {"n": number}


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
            return gettext("Indices are counted from %(base)d because you chose so.") % number
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
    about = {"base": known.base, "day": date_format(localtime(known.decided_at), "SHORT_DATE_FORMAT")}
    if known.decided_by is None:
        return gettext("Counted from %(base)d, as another file of this organisation showed on %(day)s.") % about
    about["person"] = known.decided_by.get_full_name() or known.decided_by.get_username()
    return gettext("Counted from %(base)d, as %(person)s chose for this organisation on %(day)s.") % about


def _findings(base: Base) -> list[str]:
    found = [sentence for each in base.evidence for sentence in (_for(each), _against(each)) if sentence]
    if base.fits_neither:
        found.append(
            gettext(
                "Neither fits, as if this were not the file that was sent as this batch: nothing can be downloaded from it."
            )
        )
    return found


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
