"""What a person may say of a view: its name, and whether others see it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.forms.batches import BatchFilter
from batches.models import SavedView
from staff.models import Person

MOST_VIEWS = 50  # of a person


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person's own view, new or known."""

    class Meta:
        model = SavedView
        fields = ("name", "is_shared")
        labels = {"name": _("Name"), "is_shared": _("Share it with everybody")}

    def __init__(self, data: Any = None, *, view: SavedView) -> None:
        super().__init__(data, instance=view, auto_id=f"view-{view.pk or 'new'}-%s")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.instance.person.saved_views.exclude(pk=self.instance.pk).filter(name=name).exists():
            raise ValidationError(gettext("You have a view of this name already."))
        return name


class NewViewForm(SavedViewForm):
    """A view of the list that somebody looks at, as its address says."""

    query = forms.CharField(widget=forms.HiddenInput, required=False, max_length=2_000)

    def __init__(self, data: Any = None, *, person: Person) -> None:
        super().__init__(data, view=SavedView(person=person))

    def clean(self) -> dict[str, Any]:
        self.instance.query = BatchFilter(
            QueryDict(self.cleaned_data.get("query", "")), person=self.instance.person
        ).kept
        if self.instance.person.saved_views.count() >= MOST_VIEWS:
            raise ValidationError(gettext("You have %(n)d views. Delete one first."), params={"n": MOST_VIEWS})
        return self.cleaned_data


class DefaultViewForm(forms.Form):
    """With which view the list of batches is to open; without one, with all of them."""

    view = forms.ModelChoiceField(SavedView.objects.none(), required=False)

    def __init__(self, data: Any = None, *, person: Person) -> None:
        super().__init__(data)
        self.fields["view"].queryset = SavedView.objects.offered_to(person)  # type: ignore[attr-defined]
