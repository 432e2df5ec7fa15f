"""What a person may type: batch IDs in any text, and the filters of each list."""

from batches.forms.batches import BatchFilter
from batches.forms.causes import CauseFilter
from batches.forms.rows import IndexedRowFilter, RowFilter
from batches.forms.search import EXAMPLE_ID, MOST_IDS, SearchForm, find_batch_ids

__all__ = [
    "EXAMPLE_ID",
    "MOST_IDS",
    "BatchFilter",
    "CauseFilter",
    "IndexedRowFilter",
    "RowFilter",
    "SearchForm",
    "find_batch_ids",
]
