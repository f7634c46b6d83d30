"""What time it is on the stream: the wall's, except where messages wait that are older than that.

Delays end and samples age by this clock. By the wall's alone, an engine that reads up after a
restart, or falls behind, would take everything for stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stream.message import Partition

BEHIND_US = 5_000_000
"""A partition whose next message is older is read up first."""


class StreamClock:
    """Microseconds since 1970; never goes back."""

    def __init__(self, begin_us: int) -> None:
        self._now = begin_us
        self._read_us: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        self._behind: set[Partition] = set()

    @property
    def is_behind(self) -> bool:
        """Whether anything is still to be read that was there at the last `compare`."""
        return bool(self._behind) or not self._read_us

    def assign(self, offsets: Mapping[Partition, int]) -> None:
        """Begin to read partitions, each from an offset; until compared, they count as behind."""
        for partition, offset in offsets.items():
            self._next[partition] = offset
            self._read_us[partition] = self._now
            self._behind.add(partition)

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Read these no more; where no other is read, the clock stands still."""
        for partition in partitions:
            self._read_us.pop(partition, None)
            self._behind.discard(partition)

    def next_offset(self, partition: Partition) -> int | None:
        """Give where a partition was left; None where it never was read."""
        return self._next.get(partition)

    def read(self, partition: Partition, offset: int, produced_ms: int) -> None:
        """Note a message."""
        self._next[partition] = offset + 1
        self._read_us[partition] = max(self._read_us.get(partition, 0), produced_ms * 1000)

    def compare(self, ends: Mapping[Partition, int], wall_us: int) -> None:
        """Find out, from the offsets of the next messages to come, what is behind."""
        self._behind = {
            partition
            for partition, end in ends.items()
            if partition in self._read_us
            and self._next[partition] < end
            and self._read_us[partition] < wall_us - BEHIND_US
        }

    def now(self, wall_us: int) -> int:
        """Say up to which time everything has been read."""
        if self._read_us:
            behind = [self._read_us[partition] for partition in self._behind]
            self._now = max(self._now, min([wall_us, *behind]))
        return self._now
