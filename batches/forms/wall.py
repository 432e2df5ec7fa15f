"""What a person may say of a link to the wall view: its name."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches import wall
from batches.models import WallLink


class WallLinkForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new link. No two good ones have the same name: people tell by it which screen goes dark."""

    class Meta:
        model = WallLink
        fields = ("name",)
        labels = {"name": _("Which screen it is for")}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if wall.good_links().filter(name__iexact=name).exists():
            raise ValidationError(gettext("There is a link of this name already."))
        return name

    def clean(self) -> dict[str, Any]:
        if wall.good_links().count() >= wall.MOST_LINKS:
            raise ValidationError(gettext("There are %(n)d links. Revoke one first."), params={"n": wall.MOST_LINKS})
        return self.cleaned_data
