"""What is wrong in a capture, and where."""

from __future__ import annotations

from facility.errors import ConfigError
from facility.mistakes import Mistake


class CaptureError(ConfigError):
    """A captured dump cannot be read, or is of another kind than its profile."""

    @classmethod
    def at(cls, file: str, line: int, text: str) -> CaptureError:
        """One that names file and line."""
        return cls(str(Mistake(file, line, "", text)))
