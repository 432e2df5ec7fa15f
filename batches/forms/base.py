"""What the filters of all lists have in common."""

from django import forms


class FilterForm(forms.Form):
    """A form in a list's address. What cannot be read filters nothing, and its field says why."""

    @property
    def is_filtering(self) -> bool:
        """Whether anything was asked for, readable or not."""
        return any(self.data.get(name) for name in self.fields)
