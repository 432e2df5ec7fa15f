"""Which submitted object each error row is about, and which objects the answer says nothing of."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from batches.submission.answered import Fault, Places, Succeeded


class Join(Struct, frozen=True):
    """Objects by their place in the file, from zero; error rows by their rank in the batch."""

    failed: list[int]
    ranks: list[list[int]]  # of the error rows of each failed object
    causes: list[list[int]]  # of each failed object
    succeeded: int  # objects that went through, as far as can be told
    untold: list[int] | None  # objects that the answer never mentions; None: that cannot be told
    unmet: list[int]  # error rows that meet no object

    def with_cause(self, cause: int | None) -> list[int]:
        """The positions in `failed` of the objects that have this cause; without one, of all."""
        return [n for n, causes in enumerate(self.causes) if cause is None or cause in causes]


def joined(
    faults: Sequence[Fault], succeeded: Succeeded, numbers: Sequence[str], ids: Sequence[str], places: Places, base: int
) -> Join:
    """By invoice number where a row has one that stands in the file once, else by index."""
    met, unmet = dict[int, list[Fault]](), list[int]()
    for fault in faults:
        place = _place(fault, places, base)
        if place is None:
            unmet.append(fault.rank)
        else:
            met.setdefault(place, []).append(fault)
    failed = sorted(met)
    good = _succeeded(succeeded, numbers, ids, met.keys())
    return Join(
        failed=failed,
        ranks=[[fault.rank for fault in met[place]] for place in failed],
        causes=[sorted({fault.cause for fault in met[place] if fault.cause is not None}) for place in failed],
        succeeded=len(good or ()),
        untold=None if good is None else [n for n in range(places.size) if n not in met and n not in good],
        unmet=unmet,
    )


def _place(fault: Fault, places: Places, base: int) -> int | None:
    named = places.of_number.get(fault.number) if fault.number else None
    if named is not None or fault.object_index is None:
        return named
    place = fault.object_index - base
    return place if 0 <= place < places.size else None


def _succeeded(
    succeeded: Succeeded, numbers: Sequence[str], ids: Sequence[str], failed: Collection[int]
) -> set[int] | None:
    """The places of what went through; None where file and answer share no name for all of it."""
    by_number = (numbers, succeeded.numbers, succeeded.all_numbers)
    by_id = (ids, succeeded.ids, succeeded.all_ids)
    for names, known, is_complete in (by_number, by_id):
        if is_complete and (not known or all(name or place in failed for place, name in enumerate(names))):
            return {place for place, name in enumerate(names) if name in known and place not in failed}
    return None
