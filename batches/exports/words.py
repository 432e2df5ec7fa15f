"""Values as people read them."""

from collections.abc import Callable

from django.db.models import TextChoices, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat, NullIf, Trim


def word_of(choices: type[TextChoices]) -> Callable[[str | None], str]:
    """Our word for a value of these; nothing for none."""
    words = {choice.value: choice for choice in choices if choice.value}
    return lambda value: str(words[value].label) if value else ""


def name_of(person: str) -> Combinable:
    """The name of the person that a field leads to: the full one, else the one they sign in with."""
    full = Trim(Concat(f"{person}__first_name", Value(" "), f"{person}__last_name"))
    return Coalesce(NullIf(full, Value("")), f"{person}__username")
