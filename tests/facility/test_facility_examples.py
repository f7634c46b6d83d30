"""The example sites load, and the large one has the devices and points of its counts."""

from __future__ import annotations

import runpy
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from facility.roles import DeviceRole, MeterRole
from facility.site import Site
from facility.site_file import load_site

EXAMPLES = Path(__file__).parents[2] / "examples"
LARGE = EXAMPLES / "site-250mw"


class Loaded(NamedTuple):
    site: Site
    processor_seconds: float


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    began = time.process_time()
    site = load_site(LARGE / "site.yaml")
    return Loaded(site, time.process_time() - began)


@pytest.fixture
def large_site(loaded: Loaded) -> Site:
    return loaded.site


def kinds() -> list[Mapping[str, Any]]:
    counts = yaml.safe_load((LARGE / "counts.yaml").read_text("utf-8"))
    return list(counts["devices"].values())


def test_the_counts_give_the_points_of_a_250_mw_site() -> None:
    assert sum(kind["count"] * kind["points"] for kind in kinds()) == 2_718_850


def test_a_profile_in_a_role_gives_one_number_of_points() -> None:
    """The benchmarks tell kinds apart by these two."""
    points = {(kind["profile"], kind["role"], kind["points"]) for kind in kinds()}
    assert len({kind[:2] for kind in points}) == len(points)


@pytest.mark.parametrize("key", ["profile", "role"])
def test_the_large_site_has_as_many_devices_as_its_counts_say(large_site: Site, key: str) -> None:
    counted: Counter[str] = Counter()
    for kind in kinds():
        counted[kind[key]] += kind["count"]
    assert Counter(getattr(device, key) for device in large_site.devices) == counted


def test_the_large_site_loads_in_ten_seconds(loaded: Loaded) -> None:
    assert len(loaded.site.devices) == 89_650
    assert loaded.processor_seconds < 10


def test_every_gpu_hangs_on_the_grid_and_every_category_is_metered(large_site: Site) -> None:
    above: dict[str, list[str]] = {}
    for feed in large_site.feeds:
        above.setdefault(feed.target, []).append(feed.source)
    reached, waiting = set(), [d.id for d in large_site.devices if d.role is DeviceRole.GPU_NODE]
    while waiting:
        place = waiting.pop()
        if place not in reached:
            reached.add(place)
            assert place == "utility/grid" or place in above or "generator" in place
            waiting += above.get(place, [])
    assert "utility/grid" in reached
    roles = {MeterRole.UPS_OUTPUT, MeterRole.PDU_OUTPUT, MeterRole.IT_INPUT}
    assert roles <= {meter.role for meter in large_site.meters}


def test_the_large_site_file_is_what_its_counts_generate() -> None:
    script = runpy.run_path(str(LARGE / "generate.py"))
    read = {name: (LARGE / name).read_text("utf-8") for name in ("site.yaml", "plant.csv")}
    counts = yaml.safe_load((LARGE / "counts.yaml").read_text("utf-8"))
    shapes = yaml.safe_load((LARGE / "shapes.yaml").read_text("utf-8"))
    frame = (LARGE / "frame.yaml").read_text("utf-8")
    assert read["site.yaml"] == script["site_text"](counts, shapes, frame)
    assert read["plant.csv"] == script["plant_text"](counts)


def test_counts_that_do_not_fit_the_layout_are_refused_by_name() -> None:
    script = runpy.run_path(str(LARGE / "generate.py"))
    counts = yaml.safe_load((LARGE / "counts.yaml").read_text("utf-8"))
    shapes = yaml.safe_load((LARGE / "shapes.yaml").read_text("utf-8"))
    counts["devices"]["compute_tray"]["count"] -= 1
    with pytest.raises(SystemExit, match="23327 of compute_tray"):
        list(script["groups"](counts, shapes))


def test_the_small_site_has_every_category_of_pue() -> None:
    site = load_site(EXAMPLES / "site-small" / "site.yaml")
    assert site.boundary is not None
    assert set(site.boundary.e_it) == {1, 2, 3}
    assert {"hall-1/rack-07/node-4", "hall-1/cdu-west"} <= {device.id for device in site.devices}
    assert len([d for d in site.devices if d.role is DeviceRole.GPU_NODE]) == 7 * 4
