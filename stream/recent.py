"""Values that were stored a moment ago, so that whoever keeps up with appending reads no file."""

from __future__ import annotations


class Recent:
    """Values by ascending entry number, up to a bound; what does not fit is in the file only."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._values: dict[int, bytes] = {}

    def keep(self, number: int, value: bytes) -> None:
        """Hold a value, if there is room."""
        if self._bytes + len(value) <= self._max_bytes:
            self._values[number] = value
            self._bytes += len(value)

    def get(self, number: int) -> bytes | None:
        """Give a value that is held."""
        return self._values.get(number)

    def forget(self, up_to: int) -> None:
        """Let go of every number up to and including this one."""
        while self._values and (oldest := next(iter(self._values))) <= up_to:
            self._bytes -= len(self._values.pop(oldest))
