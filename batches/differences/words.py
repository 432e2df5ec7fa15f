"""The words that differences are told in, and how much of a text is shown."""

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MOST_TEXT = 1_000  # characters shown of one text

type Text = str | Promise


class Change(TextChoices):
    """What became of a row or a line from one answer to the other."""

    CHANGED = "changed", _("Changed")
    ADDED = "added", _("Added")
    GONE = "gone", _("Gone")
    SAME = "same", _("The same")


class Obstacle(TextChoices):
    """Why two answers are compared line by line, and not by what they say."""

    NOT_UNDERSTOOD = (
        "not_understood",
        _("At least one of the two was not understood, so they are compared line by line."),
    )
    TOO_LARGE = "too_large", _("At least one of the two is too large to compare row by row.")
    SAME_FACTS = "same_facts", _("All that we read from the two is the same. They differ in how they are written.")


def short(text: str) -> str:
    """A text that fits into a page however long it is."""
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
