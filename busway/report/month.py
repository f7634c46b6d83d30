"""The month that a report is of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from facility.errors import QueryError

_WRITTEN = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, as it is written: 2026-10."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `YYYY-MM`.

        Raises:
            QueryError: it is not written so.
        """
        written = _WRITTEN.fullmatch(text)
        if written is None or written[1] == "0000":
            raise QueryError(f"--month {text!r} is no month; write 2026-10")
        return cls(int(written[1]), int(written[2]))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    def window(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From the first moment of the month in the zone to that of the next."""
        years, number = divmod(self.number, 12)
        start = datetime(self.year, self.number, 1, tzinfo=zone)
        return start, datetime(self.year + years, number + 1, 1, tzinfo=zone)
