from __future__ import annotations

from collections.abc import Iterator

import pytest

from warehouse.lake import Lake


@pytest.fixture
def lake(tmp_path) -> Iterator[Lake]:
    with Lake.create_or_open(tmp_path / "lake") as opened:
        yield opened
