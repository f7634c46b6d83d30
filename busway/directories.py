"""Directories that a process writes to, made where they are missing."""

from __future__ import annotations

from pathlib import Path

from facility.errors import ConfigError


def make_directory(directory: Path, purpose: str) -> None:
    """Make the directory if it is not there; `purpose` names it in the error.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{purpose} directory {directory} cannot be made: {error.strerror}; "
            "give a directory that this user may write to"
        ) from error
