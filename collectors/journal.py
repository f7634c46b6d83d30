"""How far the ledger has come, on disk, so that a crash leaves no slot unbooked.

Before a flush appends its ledger rows to the outbox, it writes here how far each device will be
booked once they are in. Two files take turns: if the crash came before the append, the other one
still holds what is true. Which of the two is true is told by the outbox's own last `seq`.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from collectors.schedule import Grid
from facility.errors import ConfigError


class Progress(BaseModel):
    """One device: its slots, and the last one that is booked."""

    model_config = ConfigDict(frozen=True)

    interval_us: int
    phase_us: int
    booked_us: int
    expected: int

    @property
    def grid(self) -> Grid:
        """The device's slots."""
        return Grid(self.interval_us, self.phase_us)


class Entry(BaseModel):
    """How far all devices are booked once the outbox's last ledger `seq` is at least `seq`."""

    model_config = ConfigDict(frozen=True)

    seq: int
    written_us: int
    flush_us: int
    """Time between flushes: what was polled up to so long after `written_us` may be lost."""
    setbacks: int
    """Steps back of the wall clock so far (`schedule.grid_for`)."""
    closed: bool = False
    """The daemon stopped in order; nothing was lost."""
    devices: dict[str, Progress]


class Journal:
    """The two files `PATH.0` and `PATH.1`. Opening does no I/O.

    Raises:
        ConfigError: from `read` and `prepare`, the files cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._files = (path.with_name(f"{path.name}.0"), path.with_name(f"{path.name}.1"))
        self._turn = 0

    def read(self, last_seq: int) -> Entry | None:
        """The entry that is true when the outbox's last ledger `seq` is `last_seq`.

        None when there is none, as on the first start. A half-written file is passed over.
        """
        entries = [(self._load(file), turn) for turn, file in enumerate(self._files)]
        true = [(e.seq, e.written_us, turn, e) for e, turn in entries if e and e.seq <= last_seq]
        if not true:
            return None
        *_, turn, entry = max(true, key=lambda item: item[:3])
        self._turn = 1 - turn
        return entry

    def prepare(self, entry: Entry) -> None:
        """Put an entry on disk that is to be true once the outbox has its `seq`.

        The entry confirmed last stays beside it.
        """
        try:
            self._files[0].parent.mkdir(parents=True, exist_ok=True)
            with self._files[self._turn].open("wb") as file:
                file.write(entry.model_dump_json().encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ConfigError(f"journal {self._files[self._turn]}: {error.strerror}") from error

    def confirm(self) -> None:
        """Say that the entry prepared last is true."""
        self._turn = 1 - self._turn

    def _load(self, file: Path) -> Entry | None:
        try:
            return Entry.model_validate_json(file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        except OSError as error:
            raise ConfigError(f"journal {file}: {error.strerror}") from error
