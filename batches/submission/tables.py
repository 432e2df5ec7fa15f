"""What CSV and sheets have in common: cells under a header."""

from collections.abc import Sequence
from itertools import zip_longest

from django.utils.translation import gettext

from batches.submission.columns import MOST_COLUMNS, plain
from batches.submission.submitted import MOST_OBJECTS, UnreadableError
from batches.submission.texts import shown


def named_cells(columns: Sequence[str], cells: Sequence[str]) -> list[tuple[str, str]]:
    """Each cell under its header; of those that have none, only what is not empty."""
    pairs = zip_longest(columns, cells, fillvalue="")
    return [(shown(name), shown(cell)) for name, cell in pairs if name or cell]


def headed(columns: Sequence[str], width: int, *, with_reasons: bool) -> list[str]:
    """The header of a sheet whose widest row is of this width."""
    return [*as_wide(columns, width), *([free_column(columns)] if with_reasons else [])]


def as_wide[T](cells: Sequence[T], width: int) -> list[T | str]:
    """With empty cells at the end."""
    return [*cells, *[""] * (width - len(cells))]


def free_column(columns: Sequence[str]) -> str:
    """`reason`, unless a column is called so already."""
    taken = {plain(name) for name in columns}
    names = ("reason", *(f"reason_{n}" for n in range(2, len(columns) + 3)))
    return next(name for name in names if plain(name) not in taken)


def too_many() -> UnreadableError:
    """More objects than are taken."""
    return UnreadableError(gettext("This file holds more than %(most)d objects.") % {"most": MOST_OBJECTS})


def too_wide(where: str = "") -> UnreadableError:
    """More columns than any list of invoices has; each would cost room in every row."""
    text = gettext("This file has more than %(most)d columns%(where)s. Save the columns of the invoices alone.")
    return UnreadableError(text % {"most": MOST_COLUMNS, "where": where})


def no_header() -> UnreadableError:
    """Nothing in there is called as invoices' fields are."""
    return UnreadableError(
        gettext(
            "No header was found in the first rows: none of the columns has a name such as invoiceNumber, dueDate or"
            " currency. Keep the header row of the file that was sent."
        )
    )
