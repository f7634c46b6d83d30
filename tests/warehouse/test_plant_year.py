"""A year of the simulated plant, and a month in which its meters are wrong, against its truth.

Twenty-two meters are read every five minutes into a lake, with what a year brings: registers that
wrap and are reset, a meter swapped, hours and days without readings, readings that come after the
month was rolled up. Then, in January of the next year, one meter after the other is wrong for six
days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from plant_year import POLL_S, PlantYear, Span, Trouble
from rollup_bench import RollupBench
from sql_bench import START

from busway.site import counter_facts
from facility.counter import CounterFacts
from facility.site import Site
from simulator.demo_site import demo_site
from simulator.plant.meter_faults import MeterFault
from warehouse.dimensions import store_dimensions
from warehouse.lake import Lake
from warehouse.rollup import plan as planning
from warehouse.sink import ENGINE

pytestmark = pytest.mark.timeout(600)  # a year takes a while to live
ZONE = ZoneInfo("Asia/Seoul")
HOUR_S, DAY_S = 3600.0, 86_400.0
YEAR = 2025
CATEGORIES = (1, 2, 3)
ROLES = {0: "utility", 1: "ups_output", 2: "pdu_output", 3: "it_input"}
"""By category; 0 is E_DC."""


def local(month: int, day: int = 1, hour: float = 0) -> float:
    """Unix seconds of a local time; months count on past December."""
    years, number = divmod(month - 1, 12)
    return datetime(YEAR + years, number + 1, day, tzinfo=ZONE).timestamp() + hour * HOUR_S


MONTHS = [(local(month), local(month + 1)) for month in range(1, 13)]
TAP, UPS, PDU = "hall-1/rack-01/tap-a", "ups/b-output", "hall-1/rack-02/pdu-b"
CHILD = "hall-1/rack-02/tap-b"
FAULTS: dict[str, tuple[str, Span]] = {
    "CT ratio": (UPS, (local(13, 2), local(13, 8))),
    "sign": (TAP, (local(13, 8), local(13, 14))),
    "word order": (CHILD, (local(13, 14), local(13, 20))),
    "dead": (PDU, (local(13, 20), local(13, 26))),
    "missing child": (CHILD, (local(13, 26), local(14, 1))),
}
"""What is wrong, with which meter, when."""


def asked(fault: str) -> Span:
    """While it is there: once it is over, registers bridge the days that could not be read."""
    start_s, end_s = FAULTS[fault][1]
    return start_s + DAY_S, end_s - DAY_S


SPOILT = {"CT ratio": 1, "sign": 2, "word order": 2, "dead": 3, "missing child": 2}
"""The category whose IT energy the meter is in."""
KINDS = {"CT ratio": "ct_ratio", "sign": "reversed_ct", "word order": "word_swapped"}
GAPS: dict[str, list[Span]] = {
    "utility/meter": [(local(2, 10), local(2, 10, 5))],
    "ups/a-output": [(local(4, 12), local(4, 13, 12))],  # 5 % of April: no figure
    TAP: [(local(5, 31, 20), local(6, 1, 3)), (local(11, 3), local(11, 3, 0.1))],
    PDU: [(local(8, 3, 9), local(8, 3, 11)), (local(8, 20, 1), local(8, 20, 4))],
}
"""Whose readings never come."""
LATE = ("ups/b-output", (local(9, 5), local(9, 9)))
"""Readings that come after their month was rolled up."""
TROUBLE = Trouble(
    wrong=[
        (MeterFault(device=device, kind=KINDS[fault], factor=2), span)
        for fault, (device, span) in FAULTS.items()
        if fault in KINDS
    ],
    opening_wh={PDU: 2.0**32 - 3e7, "utility/meter": 9.5e8},
    begins_again={
        "hall-1/rack-01/pdu-a": (local(3, 7, 14.2), 0.0),  # reset
        "hall-1/rack-03/tap-a": (local(7, 9, 10.7), 7.7e8),  # swapped for a used meter
    },
    unread=GAPS | {LATE[0]: [LATE[1]], PDU: [*GAPS[PDU], FAULTS["dead"][1]]},
)
SPAN = (local(1) - HOUR_S - 437, local(14) + HOUR_S)
"""The plant's life; its steps do not fall on the months' ends."""


def facts(profile: str, component: str, quantity: str) -> CounterFacts | None:
    """As the profiles say, but with the decimal registers that some meters have: 999,999,999 Wh."""
    found = counter_facts(profile, component, quantity)
    if found is None or found.modulus is not None:
        return found
    return CounterFacts(modulus=1e9, resolution=found.resolution)


def read_every_five_minutes(site: Site) -> Site:
    devices = [d.model_copy(update={"interval_seconds": POLL_S}) for d in site.devices]
    return site.model_copy(update={"devices": tuple(devices)})


def without(site: Site, meter: str) -> Site:
    """The site file as somebody wrote it who did not know of a meter."""
    meters = tuple(m for m in site.meters if m.device != meter)
    devices = tuple(d for d in site.devices if d.id != meter)
    feeds = tuple(f for f in site.feeds if meter not in (f.source, f.target))
    return site.model_copy(update={"meters": meters, "devices": devices, "feeds": feeds})


@dataclass
class Rig:
    """The plant, and the lake that its meters were read into."""

    plant: PlantYear
    bench: RollupBench
    before_late: list[dict]
    """What September's PUE was before all its readings had come."""
    months: list[dict]
    """Every month's PUE at the end."""

    def pue(self, span: Span, grain: str = "window") -> list[dict]:
        question = "from pue($a, $b, $g) order by period_start_at, category"
        return self.bench.ask(question, {**window(span), "g": grain})

    def true_pue(self, row: dict) -> float:
        span = row["period_start_at"].timestamp(), row["period_end_at"].timestamp()
        found = self.plant.truth(*span).pue(row["category"])
        assert found is not None
        return found

    def is_in_band(self, row: dict) -> bool:
        band = row["accuracy_band_ratio"] + row["resolution_band_ratio"]
        return abs(row["pue_ratio"] - self.true_pue(row)) <= band


def window(span: Span) -> dict[str, datetime]:
    return {name: datetime.fromtimestamp(s, UTC) for name, s in zip("ab", span, strict=True)}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    site = read_every_five_minutes(demo_site(3))
    plant = PlantYear(site, SPAN, TROUBLE, facts, seed=1)
    directory: Path = tmp_path_factory.mktemp("year") / "lake"
    with (
        pytest.MonkeyPatch.context() as patch,
        Lake.create_or_open(directory, settings=ENGINE) as lake,
    ):
        patch.setattr(planning, "MOST_QUARTERS", 92 * 96)  # three months a run, not a day
        bench = RollupBench(lake)
        store_dimensions(lake, site, facts)
        device, (from_s, to_s) = FAULTS["missing child"]
        for site_file, since_s in ((without(site, device), from_s), (site, to_s)):
            store_dimensions(lake, site_file, facts, at=datetime.fromtimestamp(since_s, UTC))
        ends = [SPAN[0], *(start for start, _ in MONTHS[1:]), local(13), SPAN[1]]
        for number, span in enumerate(pairwise(ends), start=1):
            commit(bench, plant, span)
            if number % 3 == 0:
                bench.roll_up(span[1] - START.timestamp())
        rig = Rig(plant, bench, [], [])
        rig.before_late = rig.pue(MONTHS[8])
        (late,) = (m for m in site.meters if m.device == LATE[0])
        bench.commit_batches(plant.readings(late, LATE[1], unread=True).to_batches())
        bench.roll_up(SPAN[1] - START.timestamp() + HOUR_S)
        rig.months = rig.pue((MONTHS[0][0], MONTHS[-1][1]), "month")
        yield rig


def commit(bench: RollupBench, plant: PlantYear, span: Span) -> None:
    tables = [plant.readings(meter, span) for meter in plant.site.meters]
    bench.commit_batches([batch for table in tables for batch in table.to_batches()])


def covered(rig: Rig, span: Span, category: int) -> float:
    """Least of the two roles' mean share of the window that lies between readings in time."""
    return min(_role_covered(rig, span, ROLES[role]) for role in (0, category))


def _role_covered(rig: Rig, span: Span, role: str) -> float:
    meters = [m for m in rig.plant.site.meters if m.role == role]
    lost = sum(_lost_s(rig, m.device, span) for m in meters)
    return 1 - lost / len(meters) / (span[1] - span[0])


def _lost_s(rig: Rig, device: str, span: Span) -> float:
    """Seconds between the readings around each gap, and of the step in which a register begins."""
    (meter,) = (m for m in rig.plant.site.meters if m.device == device)
    around = (span[0] - DAY_S, span[1] + DAY_S)
    polls = rig.plant.polls(meter, around).tolist()
    again = TROUBLE.begins_again.get(device, (0.0, 0.0))[0]
    return sum(
        max(0.0, min(end, span[1]) - max(start, span[0]))
        for start, end in pairwise(polls)
        if end - start > 3 * POLL_S or start < again <= end
    )


def test_every_months_pue_lies_within_its_own_band_of_the_truth(rig):
    rows = rig.months
    assert [(row["category"], row["name"]) for row in rows] == [
        (category, "iPUE") for _ in MONTHS for category in CATEGORIES
    ]
    assert [row for row in rows if row["pue_ratio"] is None] == [
        row for row in rows if row["category"] == 1 and month_of(row) == 4
    ]
    assert [row for row in rows if row["pue_ratio"] and not rig.is_in_band(row)] == []


def month_of(row: dict) -> int:
    return row["period_start_at"].astimezone(ZONE).month


def test_the_twelve_months_are_called_pue_and_lie_within_their_band(rig):
    rows = rig.pue((MONTHS[0][0], MONTHS[-1][1]))
    assert [row["name"] for row in rows] == ["PUE"] * 3
    for row in rows:
        assert rig.is_in_band(row)
        assert row["resolution_band_ratio"] < 1e-3


def test_coverage_falls_by_what_is_removed(rig):
    rows = rig.months
    for row in rows:
        span = MONTHS[month_of(row) - 1]
        if span != MONTHS[8]:  # came late
            assert row["coverage_ratio"] == pytest.approx(
                covered(rig, span, row["category"]), abs=1e-9
            ), row
    (april,) = (row for row in rows if month_of(row) == 4 and row["category"] == 1)
    coverage = round(april["coverage_ratio"], 4)
    assert april["reason"] == f"coverage {coverage} is under the site's minimum of 0.99"


def test_late_readings_restore_their_months_coverage(rig):
    before, after = rig.before_late[0], rig.pue(MONTHS[8])[0]
    assert before["pue_ratio"] is None
    assert before["coverage_ratio"] < 0.95
    assert after["coverage_ratio"] == 1
    assert rig.is_in_band(after)


@pytest.mark.parametrize("month", [3, 7])
def test_the_balance_accuses_no_meter_of_a_year_of_ordinary_trouble(rig, month):
    rows = rig.bench.ask("from balance($a, $b)", window(MONTHS[month - 1]))
    assert len(rows) == 11  # utility; two UPS outputs; eight taps
    assert [row for row in rows if row["likely_fault"]] == []


@pytest.mark.parametrize("fault", list(FAULTS))
def test_the_balance_names_each_fault_and_its_meter(rig, fault):
    device = FAULTS[fault][0]
    question = "from balance($a, $b) where likely_fault is not null"
    rows = rig.bench.ask(question, window(asked(fault)))
    assert rows
    for row in rows:
        assert row["likely_fault"] == fault
        assert "kWh" in row["arithmetic"]
        if fault != "missing child":
            assert row["likely_meter"].split(":")[0] == device
            assert device in row["arithmetic"]


@pytest.mark.parametrize("fault", list(FAULTS))
def test_only_the_category_that_counts_the_wrong_meter_is_spoilt(rig, fault):
    """Its figure is no figure, or it is one that the balance has explained."""
    for row in rig.pue(asked(fault)):
        if row["category"] != SPOILT[fault]:
            assert rig.is_in_band(row)
        elif fault in ("dead", "word order"):
            assert row["pue_ratio"] is None
            assert row["missing_meters"] == [meter_of(rig, fault)]
        else:
            assert not rig.is_in_band(row)


def meter_of(rig: Rig, fault: str) -> str:
    (meter,) = (m.id for m in rig.plant.site.meters if m.device == FAULTS[fault][0])
    return meter
