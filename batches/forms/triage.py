"""What people say of a failed batch or a cause: its state and owner, what corrects it, notes and advice."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches import markdown
from batches.forms.search import find_batch_ids
from batches.models import Batch, Cause
from batches.words import TriageState
from staff.models import Person

LONGEST_ADVICE = 2_000


def by_name(people: QuerySet[Person]) -> QuerySet[Person]:
    return people.order_by("first_name", "last_name", "username")


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Somebody who works here, by name."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.get_full_name() or obj.get_username())


class LinesField(forms.CharField):
    """A text of several lines, whose ends count as one character however the browser sends them."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(str(value or "").replace("\r\n", "\n")))


class RevisedForm(forms.Form):
    """A form that says what its sender saw."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


class TriageForm(RevisedForm):
    """The state and the owner."""

    state = forms.ChoiceField(label=_("State"), choices=TriageState)
    owner = PersonField(Person.objects.none(), label=_("Owner"), required=False, empty_label=_("Nobody"))

    def __init__(self, data: Any = None, *, subject: Batch | Cause) -> None:
        now = {"revision": subject.triage_revision, "state": subject.triage_state, "owner": subject.owner_id}
        super().__init__(data, auto_id="triage-%s", initial=now)
        people = Person.objects.filter(Q(is_active=True) | Q(pk=subject.owner_id))
        self.fields["owner"].queryset = by_name(people)  # type: ignore[attr-defined]


class CorrectionForm(RevisedForm):
    """Which batch was sent in place of this one: any text that holds its ID."""

    replacement = forms.CharField(label=_("Corrected in batch"), max_length=2_000)
    anyway = forms.UUIDField(required=False)  # the one that is to be linked whatever speaks against it

    def __init__(self, data: Any = None, *, subject: Batch) -> None:
        super().__init__(data, auto_id="correction-%s", initial={"revision": subject.triage_revision})
        self._batch = subject

    def clean_replacement(self) -> UUID:
        found = find_batch_ids(self.cleaned_data["replacement"])
        if not found:
            raise ValidationError(gettext("No batch ID in there. A link to the batch works too."))
        if len(found) > 1:
            raise ValidationError(
                gettext("That holds %(n)d batch IDs. Name the one that corrects this batch."), params={"n": len(found)}
            )
        if found == [self._batch.pk]:
            raise ValidationError(gettext("That is this batch itself. Name the one that was sent in its place."))
        if self._is_of_another_organisation(found[0]):
            raise ValidationError(gettext("That batch is of another organisation."))
        return found[0]

    def _is_of_another_organisation(self, batch_id: UUID) -> bool:
        ours = self._batch.organization_id
        named = Batch.objects.filter(pk=batch_id, organization_id__isnull=False)
        return ours is not None and named.exclude(organization_id=ours).exists()


class NoteForm(forms.Form):
    """A note, in Markdown."""

    text = LinesField(
        label=_("Add a note"),
        max_length=markdown.LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("The note is empty.")},
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="note-%s")


class AdviceForm(RevisedForm):
    """What to do about a cause, in plain words; none takes it away."""

    text = LinesField(
        label=_("Advice"), max_length=LONGEST_ADVICE, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, data: Any = None, *, subject: Cause) -> None:
        now = {"revision": subject.triage_revision, "text": subject.advice}
        super().__init__(data, auto_id="advice-%s", initial=now)
