"""A file that was sent to Amili, as read: its objects in their order, each as it came, and how to write such a file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

MOST_BYTES = 100 * 2**20
MOST_OBJECTS = 500_000
MOST_FIELDS = 200  # of one object, for people to read


class UnreadableError(Exception):
    """The file cannot be used; says why in a sentence that helps."""


class BusyError(UnreadableError):
    """Not now."""


class Record(NamedTuple):
    """One object as it came. `line` is where it begins in a file that has lines or rows, from one; else zero."""

    line: int
    body: bytes


class Form(Protocol):
    """What objects can be written as."""

    @property
    def suffix(self) -> str:
        """The end of a file's name."""

    @property
    def content_type(self) -> str:
        """The media type."""

    def written(self, objects: Iterable[tuple[bytes, str]], *, with_reasons: bool) -> Iterator[bytes]:
        """A file of this form with these objects, and for each its reason in a property or column of its own."""


class Frame(Form, Protocol):
    """What a file is besides its objects: all that it takes to show one of them, and to write such a file again."""

    @property
    def columns(self) -> list[str]:
        """The names of the fields that its objects have."""

    @property
    def facts(self) -> list[str]:
        """What a person may want to know of how it was read, in words."""

    def fields(self, body: bytes) -> list[tuple[str, str]]:
        """The fields of an object, with their names, for people to read."""


@dataclass(frozen=True)
class Submitted:
    """A file's objects, and for each the invoice number and invoice ID that it has, or an empty text."""

    frame: Frame
    records: Sequence[Record]
    numbers: Sequence[str]
    ids: Sequence[str]
