"""An organisation in the filter of a list: by its name, a part of one, or its ID."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings

from batches.forms.search import find_batch_ids
from batches.models import NO_ORGANIZATION
from batches.words import NONE_NAMED, organisation


class OrganisationField(forms.CharField):
    """Addresses name an organisation by its ID; people read and write its name, where it has one of its own."""

    widget = forms.TextInput(attrs={"list": "organisations"})

    def bound_data(self, data: Any, initial: Any) -> Any:
        text = data or ""
        meant = _by_id(text)
        if len(meant) != 1:
            return data
        name = organisation(meant[0])
        return name if organisations_called(name) == meant else data


def organisations_called(text: str) -> list[UUID]:
    """The organisations that are meant by this text. A whole name means none of those of whose it is a part."""
    called = _plain(text)
    names = {uuid: _plain(name) for uuid, name in settings.AMILI_ORGANIZATIONS.items()}
    whole = [uuid for uuid, name in names.items() if name == called]
    return _by_id(text) or whole or [uuid for uuid, name in names.items() if called in name]


def _by_id(text: str) -> list[UUID]:
    """The IDs in a text; or the one that stands for those who name no organisation."""
    nobody = {_plain(NONE_NAMED), _plain(organisation(NO_ORGANIZATION))}
    return [NO_ORGANIZATION] if _plain(text) in nobody else find_batch_ids(text)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
