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
    unmet: list[int]  # error rows that meet no object, or one that succeeded
    left_out: int  # objects that error rows meet although the answer says that their invoices succeeded

    def with_cause(self, cause: int | None) -> list[int]:
        """The positions in `failed` of the objects that have this cause; without one, of all."""
        return [n for n, causes in enumerate(self.causes) if cause is None or cause in causes]


def joined(
    faults: Sequence[Fault], succeeded: Succeeded, numbers: Sequence[str], ids: Sequence[str], places: Places, base: int
) -> Join:
    """By invoice number where a row has one and the file has them, else by index; never with what succeeded."""
    met, unmet, left_out = dict[int, list[Fault]](), list[int](), set[int]()
    for fault in faults:
        place = _place(fault, numbers, places, base)
        if place is None:
            unmet.append(fault.rank)
        elif numbers[place] in succeeded.numbers:
            unmet.append(fault.rank)
            left_out.add(place)
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
        left_out=len(left_out),
    )


def _place(fault: Fault, numbers: Sequence[str], places: Places, base: int) -> int | None:
    if places.settle(fault.number):
        return places.of_number.get(fault.number)
    place = -1 if fault.object_index is None else fault.object_index - base
    if not 0 <= place < places.size:
        return None
    # A number that is told here stands in the file more than once, or the file has none.
    is_another = fault.number in places.repeated and numbers[place] != fault.number
    return None if is_another else place


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
