"""What a maintenance job did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """Files and bytes that one run took in and gave out; all zero where nothing was to be done."""

    files_in: int = 0
    files_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    rows: int = 0
    trouble: str = ""
    """What a person must see to; the job did what it could."""
    more: bool = False
    """There is more to do now: run it again without waiting."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing was to be done."""
        return not (self.files_in or self.files_out or self.rows)
