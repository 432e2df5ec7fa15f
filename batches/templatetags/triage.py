"""How the state of the work on a batch or a cause is written for people."""

from collections.abc import Mapping

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from batches.markdown import to_html
from batches.models import Cause, Triaged
from batches.words import TriageState
from staff.models import Person

register = template.Library()

# 16 x 16 drawings in the style of the kit, as those of the outcomes.
_ICONS: Mapping[str, SafeString] = {
    TriageState.NEW: mark_safe('<circle cx="8" cy="8" r="6.2"/><circle cx="8" cy="8" r="1.6"/>'),
    TriageState.LOOKING: mark_safe('<circle cx="7" cy="7" r="4.6"/><path d="m10.4 10.4 3.6 3.6"/>'),
    TriageState.WAITING_FOR_CREDITOR: mark_safe('<path d="M4 2h8M4 14h8M5 2c0 4 6 4 6 12M11 2c0 4-6 4-6 12"/>'),
    TriageState.WAITING_FOR_AMILI: mark_safe('<path d="M4 2h8M4 14h8M5 2c0 4 6 4 6 12M11 2c0 4-6 4-6 12"/>'),
    TriageState.CORRECTED: mark_safe('<circle cx="8" cy="8" r="6.2"/><path d="m5 8.2 2.1 2.1L11 6.2"/>'),
    TriageState.IGNORED: mark_safe('<circle cx="8" cy="8" r="6.2"/><path d="M5 8h6"/>'),
}
_COLOURS: Mapping[str, str] = {
    TriageState.NEW: "danger",
    TriageState.LOOKING: "info",
    TriageState.WAITING_FOR_CREDITOR: "warning",
    TriageState.WAITING_FOR_AMILI: "warning",
    TriageState.CORRECTED: "success",
    TriageState.IGNORED: "neutral",
}


@register.filter
def name(person: Person | None) -> str:
    """What colleagues call somebody."""
    return person.get_full_name() or person.get_username() if person else ""


@register.filter
def markdown(text: str) -> SafeString:
    """A note as HTML."""
    return mark_safe(to_html(text))  # noqa: S308 - it comes out of a sanitiser


@register.simple_tag
def triage_state(state: str) -> SafeString:
    """A state with its colour and icon."""
    known = TriageState(state)
    return format_html(
        '<span class="ds-tag status" data-color="{}"><svg viewBox="0 0 16 16" class="icon" aria-hidden="true">{}</svg>{}</span>',
        _COLOURS[known],
        _ICONS[known],
        known.label,
    )


@register.simple_tag
def triage_tag(subject: Triaged) -> SafeString:
    """The state, whether the cause came back, and the badge of who owns it."""
    return format_html(
        '<span class="work">{}{}{}</span>',
        triage_state(subject.triage_state),
        _came_back(subject),
        badge(subject.owner),
    )


def _came_back(subject: Triaged) -> SafeString:
    if not (isinstance(subject, Cause) and subject.came_back_in_id):
        return mark_safe("")
    return format_html('<span class="ds-tag" data-color="warning" data-size="sm">{}</span>', gettext("Came back"))


@register.filter
def badge(owner: Person | None) -> SafeString:
    """Two letters in a circle, with the whole name for those who point at it or have it read to them."""
    if owner is None:
        return mark_safe("")
    return format_html(
        '<span class="owner-badge" title="{0}"><span aria-hidden="true">{1}</span><span class="unseen">{2}</span></span>',
        name(owner),
        owner.initials,
        gettext("owner: %(name)s") % {"name": name(owner)},
    )
