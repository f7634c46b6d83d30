"""Each folder of bad_sites holds a site file and every mistake that loading it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility.errors import SiteFileError
from facility.site_file import load_site

FOLDER = Path(__file__).parent / "bad_sites"
PROFILES = {"raritan-px3": "snmp", "schneider-pm5000": "modbus", "nvidia-dcgm-exporter": "dcgm"}


@pytest.mark.parametrize("case", sorted(path.name for path in FOLDER.iterdir()))
def test_every_mistake_is_named_with_its_line(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER / case)
    with pytest.raises(SiteFileError) as caught:
        load_site("site.yaml", profiles=PROFILES)
    assert str(caught.value) == Path("expected.txt").read_text("utf-8").rstrip("\n")
