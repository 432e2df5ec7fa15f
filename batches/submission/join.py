"""Which submitted object each error row is about, and which objects the answer says nothing of."""

from collections import Counter
from collections.abc import Collection, Sequence, Set

from msgspec import Struct

from batches.submission.answered import Fault, Places, Silence, Succeeded


class Join(Struct, frozen=True):
    """Objects by their place in the file, from zero; error rows by their rank in the batch."""

    failed: list[int]
    ranks: list[list[int]]  # of the error rows of each failed object
    causes: list[list[int]]  # of each failed object
    succeeded: int | None  # objects that went through; None: that cannot be told
    untold: list[int] | None  # objects that the answer never mentions; None: that cannot be told
    silence: Silence | None  # why not
    unclear: int  # objects that may have gone through, and may not
    unmet: list[int]  # error rows that meet no object, or one that succeeded
    left_out: int  # objects that error rows meet although the answer says that their invoices succeeded

    def with_cause(self, cause: int | None) -> list[int]:
        """The positions in `failed` of the objects that have this cause; without one, of all."""
        return [n for n, causes in enumerate(self.causes) if cause is None or cause in causes]


class _Success(Struct):
    """What went through: the places that may be meant, and how many of them are; or why that cannot be told."""

    places: set[int]
    count: int | None
    silence: Silence | None


def joined(
    faults: Sequence[Fault],
    succeeded: Succeeded,
    numbers: Sequence[str],
    ids: Sequence[str],
    places: Places,
    base: int,
    mentioned: Set[int] = frozenset(),
) -> Join:
    """By invoice number where a row has one and the file has them, else by index; never with what succeeded.

    `mentioned` are places of which the answer says something that is neither an error nor a success.
    """
    met, unmet, left_out = dict[int, list[Fault]](), list[int](), set[int]()
    for fault in faults:
        place = _place(fault, numbers, places, base)
        if place is None:
            unmet.append(fault.rank)
        # Of a number that stands in the file twice, one may have gone through, and the other have failed for that.
        elif succeeded.numbers.get(numbers[place], 0) >= places.times(numbers[place]):
            unmet.append(fault.rank)
            left_out.add(place)
        else:
            met.setdefault(place, []).append(fault)
    failed = sorted(met)
    good = _success(succeeded, numbers, ids, met.keys())
    told = met.keys() | good.places | mentioned
    untold = None if good.silence else [place for place in range(places.size) if place not in told]
    return Join(
        failed=failed,
        ranks=[[fault.rank for fault in met[place]] for place in failed],
        causes=[sorted({fault.cause for fault in met[place] if fault.cause is not None}) for place in failed],
        succeeded=good.count,
        untold=untold,
        silence=good.silence,
        unclear=0 if untold is None else places.size - len(failed) - (good.count or 0) - len(untold),
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


def _success(succeeded: Succeeded, numbers: Sequence[str], ids: Sequence[str], failed: Collection[int]) -> _Success:
    """By a name that file and answer share for all of it."""
    if succeeded.silence == Silence.UNLISTED:
        return _Success(set(), None, Silence.UNLISTED)
    by_number = (numbers, succeeded.numbers, succeeded.all_numbers)
    by_id = (ids, succeeded.ids, succeeded.all_ids)
    for names, known, is_complete in (by_number, by_id):
        if is_complete and (not known or all(name or place in failed for place, name in enumerate(names))):
            good = {place for place, name in enumerate(names) if name in known and place not in failed}
            standing = Counter(names[place] for place in good)
            count = sum(min(times, known[name]) for name, times in standing.items())
            return _Success(good, count, succeeded.silence)
    return _Success(set(), None, succeeded.silence or Silence.UNNAMED)
