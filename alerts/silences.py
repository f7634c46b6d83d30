"""Silences: what people want to be told of later, or not at all, kept on disk."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from alerts.queue_file import QueueFile
from facility.alert_routes import Match

KEPT_S = 30 * 86_400
"""After its end a silence is still listed for so long."""


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence; not told meanwhile is what `match` fits."""

    id: str
    match: Match
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str


class Silences:
    """All silences in one file."""

    def __init__(self, file: QueueFile) -> None:
        self._file = file

    def add(
        self, match: Match, starts_at: datetime, ends_at: datetime, author: str, comment: str
    ) -> Silence:
        """Keep a new one."""
        made = Silence(uuid.uuid4().hex[:12], match, starts_at, ends_at, author, comment)
        with self._file.transaction():
            self._file.execute(
                "DELETE FROM silence WHERE ends_s < ?", datetime.now(UTC).timestamp() - KEPT_S
            )
            self._file.execute(
                "INSERT INTO silence VALUES (?, ?, ?, ?, ?, ?)",
                made.id,
                match.model_dump_json(by_alias=True, exclude_defaults=True),
                starts_at.timestamp(),
                ends_at.timestamp(),
                author,
                comment,
            )
        return made

    def end(self, silence: str, now: datetime) -> bool:
        """End one; False where there is none that goes on or is to come."""
        with self._file.transaction():
            return bool(
                self._file.execute(
                    "UPDATE silence SET ends_s = ? WHERE id = ? AND ends_s > ? RETURNING id",
                    *(now.timestamp(), silence, now.timestamp()),
                )
            )

    def all(self) -> list[Silence]:
        """Give all, also those that are over or to come."""
        rows = self._file.execute(
            "SELECT id, match, starts_s, ends_s, author, comment FROM silence ORDER BY ends_s"
        )
        return [
            Silence(
                silence, Match.model_validate_json(match), _moment(starts), _moment(ends), who, why
            )
            for silence, match, starts, ends, who, why in rows
        ]

    def quieted(self, now: datetime) -> list[Match]:
        """Give what those that go on now are for."""
        return [each.match for each in self.all() if each.starts_at <= now < each.ends_at]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
