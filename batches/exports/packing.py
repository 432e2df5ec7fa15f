"""ZIP, packed while its members are read: no more than a little of them is ever held.

By the standard library: what packs streams elsewhere marks each member as one that may be larger than four gigabytes, which
Excel does not open.
"""

from collections.abc import Iterable, Iterator
from io import RawIOBase
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from batches.exports.table import CHUNK


def packed(members: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """The archive of these files, each a path and its content bit by bit. None may be larger than two gigabytes."""
    outlet = _Outlet()
    with ZipFile(outlet, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for path, parts in members:
            if outlet.waiting:  # at once: what comes next may take a while to be found
                yield outlet.take()
            with archive.open(path, "w") as member:
                for part in parts:
                    member.write(part)
                    if outlet.waiting > CHUNK:
                        yield outlet.take()
    yield outlet.take()


class _Outlet(RawIOBase):
    """A file that is handed on while it is written, and so cannot be gone back in."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        self.waiting += len(part)
        return len(part)

    def take(self) -> bytes:
        """What has come since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        self.waiting = 0
        return taken
