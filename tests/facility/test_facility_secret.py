"""Secrets by reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility.errors import ConfigError
from facility.secret import Secret


def test_a_secret_is_read_when_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("hush\n", "utf-8")
    monkeypatch.setenv("BUSWAY_TEST_SECRET", "quiet")
    assert Secret(file=tmp_path / "secret").reveal() == "hush"
    assert Secret(env="BUSWAY_TEST_SECRET").reveal() == "quiet"


def test_a_secret_that_is_not_there_is_named_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="BUSWAY_NO_SECRET is not set"):
        Secret(env="BUSWAY_NO_SECRET").reveal()
    with pytest.raises(ConfigError, match="no-secret: No such file"):
        Secret(file=tmp_path / "no-secret").reveal()


def test_a_secret_has_one_place() -> None:
    for places in ({}, {"env": "A", "file": "b"}):
        with pytest.raises(ValueError, match="give either env: NAME or file: PATH"):
            Secret.model_validate(places)


def test_a_secret_prints_as_a_secret() -> None:
    assert str(Secret(env="A")) == repr(Secret(env="A")) == "<secret>"
