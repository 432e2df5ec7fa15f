"""What several forms have in common."""

from django import forms


class FilterForm(forms.Form):
    """A form in a list's address. What cannot be read filters nothing, and its field says why."""

    @property
    def is_filtering(self) -> bool:
        """Whether anything was asked for, readable or not."""
        return any(self.data.get(name) for name in self.fields)


def point_at_what_is_wrong(form: forms.BaseForm) -> None:
    """Let the page open with the cursor in the first field that cannot be taken."""
    wrong = next((name for name in form.fields if name in form.errors), None)
    if wrong:
        form.fields[wrong].widget.attrs["autofocus"] = True
