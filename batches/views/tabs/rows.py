"""A list of rows of a batch, filtered and paged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from batches.forms import RowFilter
from batches.models import Batch
from batches.views.paging import page_of_rows
from batches.views.tabs.tab import Tab


@dataclass(frozen=True)
class RowsTab(Tab):
    """A list of rows, filtered and paged."""

    counted_by: str  # the batch's field with the number of rows
    sought: str | Promise  # what a text is looked for in, in words
    columns: Sequence[str]  # and in the table
    key: str = "position"
    form: type[RowFilter] = RowFilter
    optional: bool = False  # not shown without rows
    unless: str = ""  # not shown without rows either where this field counts some

    def count(self, batch: Batch) -> int:
        number: int = getattr(batch, self.counted_by)
        return number

    def shown(self, batch: Batch) -> bool:
        is_needless = self.optional or (self.unless and getattr(batch, self.unless) > 0)
        return self.count(batch) > 0 or not is_needless

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        form, count = self.form(asked, label=self.sought, columns=self.columns), self.count(batch)
        rows = form.filter(getattr(batch, self.name).all())
        page = page_of_rows(rows, self.key, asked, count=count, is_whole=not form.is_filtering)
        return {"form": form, "page": page, "row_count": count}
