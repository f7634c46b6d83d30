"""What the factors of a site file become."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facility.errors import SiteFileError
from facility.factors import BY_SUBJECT, FACTORS
from facility.site import Factor, Site
from facility.site_file import load_site

Load = Callable[..., list[Factor]]
HEAD = """
site: {name: a, time_zone: Asia/Seoul}
devices: [{id: m, profile: m, address: "modbus://10.0.0.1", role: utility_meter}]
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def write_and_load(text: str, table: str = "") -> list[Factor]:
        (tmp_path / "table.csv").write_text(table, "utf-8")
        (tmp_path / "site.yaml").write_text(f"{HEAD}factors:\n{text}", "utf-8")
        site: Site = load_site(tmp_path / "site.yaml")
        return sorted(site.factors, key=lambda f: (f.name, f.subject, str(f.applies_from)))

    return write_and_load


def utc(hour: int, day: int = 1) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def test_a_factor_of_the_file_has_no_times(load: Load) -> None:
    assert load("  demand_limit_kw: 900\n  carbon_kg_per_kwh: {grid_market: 0, generator: 1}") == [
        Factor(name="carbon_kg_per_kwh", subject="generator", value=1.0),
        Factor(name="carbon_kg_per_kwh", subject="grid_market", value=0.0),
        Factor(name="demand_limit_kw", value=900.0),
    ]


def test_a_row_of_a_table_holds_until_the_next_of_its_kind(load: Load) -> None:
    """Local times are Seoul's, nine hours before UTC; rows may stand in any order."""
    found = load(
        "  tables: [table.csv]",
        "from,factor,subject,to,value\n"
        "2026-10-01T12:00,carbon_kg_per_kwh,grid_market,,0.5\n"
        "2026-10-01T09:00,carbon_kg_per_kwh,grid_market,,0.4\n"
        "2026-10-01T05:00Z,carbon_kg_per_kwh,grid_market,2026-10-01T06:00Z,0.6\n"
        "2026-10-01T10:00,carbon_kg_per_kwh,grid_location,,0.7\n",
    )
    assert [(f.subject, f.value, f.applies_from, f.applies_to) for f in found] == [
        ("grid_location", 0.7, utc(1), None),
        ("grid_market", 0.4, utc(0), utc(3)),
        ("grid_market", 0.5, utc(3), utc(5)),
        ("grid_market", 0.6, utc(5), utc(6)),
    ]


def test_words_and_numbers_of_a_table_are_checked_as_those_of_the_file_are(load: Load) -> None:
    found = load(
        "  tables: [table.csv]",
        "factor,subject,from,value\n"
        "demand_period_minutes,,2026-10-01,30\n"
        "eu_2024_1364,refrigerants,2026-10-01,R-1234ze\n"
        "eu_2024_1364,s_dc_m2,2026-10-01,9000\n",
    )
    assert [f.value for f in found] == [30, "R-1234ze", 9000]


def test_what_is_renewable_is_no_more_than_all(load: Load) -> None:
    with pytest.raises(SiteFileError, match=r"make 1\.4 together"):
        load("  renewable_ratio: {goo: 0.7, ppa: 0.7}")


def test_subjects_belong_to_most_factors() -> None:
    assert set(FACTORS) - BY_SUBJECT == {
        "grid_water_l_per_kwh",
        "demand_limit_kw",
        "demand_period_minutes",
    }
