"""What a person may say of alerts: what to hear of, how, and when not."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundWidget
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.alerts.digest import AT
from batches.alerts.finding import FEWEST_OBJECTS
from batches.alerts.webhooks import may_go_to
from batches.forms.days import TimeOfDayField
from batches.models import AlertWishes
from batches.pace import SLOW
from batches.words import AlertKind

MEANINGS: Mapping[AlertKind, str | Promise] = {
    AlertKind.WATCHED: _("Once, for each batch on whose page you pressed Watch."),
    AlertKind.FAILED: _(
        "Its outcome is Failed; one that partly succeeded does not count. Over when somebody calls it corrected or ignored."
    ),
    AlertKind.NEW_CAUSE: _(
        "No batch has had it before. Over when it is corrected or ignored, or no batch has it any more."
    ),
    AlertKind.SHARE: format_lazy(
        _("Of one day, once {n} of its objects or more are done. Over when the share is below the limit again."),
        n=FEWEST_OBJECTS,
    ),
    AlertKind.STUCK: format_lazy(
        _(
            "Running for longer than nearly all batches of its organisation take, and never less than {n} minutes. "
            "Over when it is finished."
        ),
        n=SLOW // timedelta(minutes=1),
    ),
    AlertKind.MISSING: _(
        "It usually sends by this time on this weekday; holidays are known. Over when something comes."
    ),
    AlertKind.AWAY: _("What people see gets older meanwhile. Over when it answers again."),
}
WEBHOOK_FIELDS = ("webhook_url", "webhook_shape")

# Strict, since what one program takes for the host another may take for a name, a path or a different letter.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+)(?P<port>:\d{1,5})?(?P<rest>[/?][!-\[\]-~]*)?", re.ASCII | re.IGNORECASE
)


def webhook_hosts() -> list[str]:
    """The hosts that the operator allows messages to go to."""
    return sorted(settings.ALERT_WEBHOOK_HOSTS)


class AlertWishesForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person's own wishes. Without an allowed host there is no webhook to speak of."""

    kinds = forms.MultipleChoiceField(choices=AlertKind, required=False, widget=forms.CheckboxSelectMultiple)
    share_limit = forms.IntegerField(
        label=_("Percent of the objects that must have failed"),
        min_value=1,
        max_value=100,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Write a whole number from 1 to 100.")
        ),
    )
    quiet_from = TimeOfDayField(label=_("From"), required=False)
    quiet_until = TimeOfDayField(label=_("Until"), required=False)

    class Meta:
        model = AlertWishes
        fields = ("kinds", "share_limit", "wants_digest", "wants_mail", *WEBHOOK_FIELDS, "quiet_from", "quiet_until")
        labels = {
            "wants_digest": format_lazy(_("A digest at {at} on working days"), at=f"{AT:%H:%M}"),
            "wants_mail": _("Send me e-mail"),
            "webhook_url": _("Address"),
            "webhook_shape": _("Shape"),
        }
        help_texts = {
            "wants_digest": _(
                "The numbers of each day since the last working day, and what is unresolved, stuck and missing."
            )
        }
        error_messages = {
            "webhook_url": {
                "invalid": _("That is no web address. Paste the whole address that you were given."),
                "max_length": _("That address is too long: at most %(limit_value)d characters."),
            }
        }

    def __init__(self, data: Any = None, *, instance: AlertWishes) -> None:
        super().__init__(data, instance=instance, auto_id="alerts-%s")
        if not webhook_hosts():
            for name in WEBHOOK_FIELDS:
                del self.fields[name]

    @property
    def kind_boxes(self) -> list[tuple[BoundWidget, str | Promise]]:
        """The box of each kind, with what exactly it means."""
        return [(box, MEANINGS[AlertKind(box.data["value"])]) for box in self["kinds"]]

    def clean_webhook_url(self) -> str:
        """The address with its host in lower case, if a message may go there."""
        url: str = self.cleaned_data["webhook_url"]
        if not url:
            return ""
        parts = _ADDRESS.fullmatch(url)
        if not parts:
            raise ValidationError(
                gettext(
                    "Leave out names, passwords, backslashes, and in the host all but the letters a to z, digits and dots."
                )
            )
        host = parts["host"].lower()
        if host not in webhook_hosts():
            raise ValidationError(
                gettext("Messages may not go to %(host)s. Allowed are: %(hosts)s."),
                params={"host": host, "hosts": ", ".join(webhook_hosts())},
            )
        safe = f"{parts['scheme'].lower()}://{host}{parts['port'] or ''}{parts['rest'] or '/'}"
        if not may_go_to(safe):
            raise ValidationError(gettext("The address must begin with https:// and name no port."))
        return safe

    def clean(self) -> dict[str, Any]:
        start, end = self.cleaned_data.get("quiet_from"), self.cleaned_data.get("quiet_until")
        if not self.errors.keys() & {"quiet_from", "quiet_until"}:
            if (start is None) != (end is None):
                missing = "quiet_from" if start is None else "quiet_until"
                self.add_error(missing, gettext("Set both times, or neither."))
            elif start and start == end:
                self.add_error("quiet_until", gettext("That is the time at which they begin."))
        return self.cleaned_data
