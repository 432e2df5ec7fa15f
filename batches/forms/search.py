"""The one search box: batch IDs in any text."""

import re
import unicodedata
from urllib.parse import unquote
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

EXAMPLE_ID = "5579c111-9c50-47e2-af92-f16d52e63189"
MOST_IDS = 100

_HEX = "[0-9a-f]"
_START = rf"(?:(?<!{_HEX})|(?<=id))"
_UUID = rf"{_START}(?:{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}|{_HEX}{{32}})(?!{_HEX})"
_ANY_UUID = re.compile(_UUID)
# An address or a log line often holds other IDs too: one that is called a batch is the one that is meant.
# Others may follow it in a list.
_BETWEEN = r"[\"'\\\s:=/,;|{}()\[\]]*"
_CALLED_BATCH = re.compile(rf"batch(?:es|[ _-]?(?:id|uuid|url)s?)?{_BETWEEN}((?:{_UUID}{_BETWEEN}(?:(?:and|og) )?)+)")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


def find_batch_ids(text: str) -> list[UUID]:
    """The batch IDs in a text, each once and in order: of any case, in braces, without dashes, in an address or a log line."""
    plain = unicodedata.normalize("NFKC", unquote(text)).translate(_DASHES | _INVISIBLE).lower()
    found = _ANY_UUID.findall(" ".join(_CALLED_BATCH.findall(plain)) or plain)
    return [uuid for uuid in dict.fromkeys(map(UUID, found)) if uuid.int]


class SearchForm(forms.Form):
    """The one box: any text that holds at least one batch ID. Cleans to a list of UUIDs."""

    q = forms.CharField(
        label=_("Batch ID"),
        max_length=100_000,
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"max_length": _("That is too much text. Paste the lines that hold the batch IDs.")},
    )

    def clean_q(self) -> list[UUID]:
        found = find_batch_ids(self.cleaned_data["q"])
        if not found:
            raise ValidationError(
                gettext("No batch ID in there. It is 32 digits and letters a to f, like %(example)s."),
                params={"example": EXAMPLE_ID},
            )
        if len(found) > MOST_IDS:
            raise ValidationError(
                gettext("That holds %(found)d batch IDs. Please follow at most %(most)d at a time."),
                params={"found": len(found), "most": MOST_IDS},
            )
        return found
