"""Every site file in examples/ is one that `busway check` passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from busway.cli import app

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/site.yaml"))


def test_there_are_examples() -> None:
    assert {path.parent.name for path in EXAMPLES} >= {"site-small", "site-250mw"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_passes_the_check(path: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 0, result.exception
    assert "is in order." in result.stdout
    assert "warning" not in result.stdout
