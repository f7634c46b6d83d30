"""Secrets by reference: the file names where one is, never what it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from facility.errors import ConfigError


class Secret(BaseModel):
    """`{env: NAME}` or `{file: PATH}`; prints as `<secret>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("give either env: NAME or file: PATH")
        return self

    def reveal(self) -> str:
        """Read the secret now.

        Raises:
            ConfigError: the variable is not set or the file cannot be read.
        """
        if self.env is not None:
            if (value := os.environ.get(self.env)) is None:
                raise ConfigError(f"environment variable {self.env} is not set; it holds a secret")
            return value
        assert self.file is not None
        try:
            return self.file.read_text("utf-8").rstrip("\r\n")
        except OSError as error:
            raise ConfigError(f"secret file {self.file}: {error.strerror}") from error

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__
