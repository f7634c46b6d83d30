"""Every profile has a sample of its device: what it sends, and what that is, worked out apart.

A sample is PROFILE.csv (registers), PROFILE.snmprec (a walk) or PROFILE.txt (an exporter's text),
and PROFILE.yaml beside it: where the figures come from, each reading that the driver must give, and
each point that the device has but gives no value for. A second sample of a profile has a name
between: PROFILE.NAME.csv. What is expected is a person's arithmetic from the maker's document,
never the profile's own scale: an error in the profile shows here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from collectors.captures.dump import Registers, read_capture
from collectors.captures.opening import identify_capture, open_capture
from collectors.modbus.planner import wanted_ranges
from collectors.profile_library import load_profile, profile_names
from collectors.source import Poll
from facility.quality import Quality

HERE = Path(__file__).parent / "samples"
SAMPLES = sorted(path for path in HERE.iterdir() if path.suffix != ".yaml")
NOT_RECORDED = "not in the capture"


def profile_of(sample: Path) -> str:
    return sample.name.partition(".")[0]


def told(sample: Path) -> dict[str, object]:
    """What the file beside a sample says."""
    return yaml.safe_load((HERE / f"{sample.stem}.yaml").read_text("utf-8"))


async def poll_of(sample: Path) -> Poll:
    source = open_capture("d", load_profile(profile_of(sample)), read_capture(sample))
    try:
        return await source.read()
    finally:
        await source.close()


def test_every_profile_has_a_sample_and_every_sample_a_profile() -> None:
    assert {profile_of(sample) for sample in SAMPLES} == set(profile_names())
    assert {path.stem for path in HERE.glob("*.yaml")} == {sample.stem for sample in SAMPLES}


def test_the_library_is_as_large_as_it_claims_and_names_its_sources() -> None:
    profiles = [load_profile(name) for name in profile_names()]
    assert len(profiles) >= 48
    assert [p.name for p in profiles if len(p.source.document.split()) < 2] == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
async def test_a_sample_is_read_as_its_maker_says(sample: Path) -> None:
    poll = await poll_of(sample)
    expected = {
        (component, quantity): value
        for component, values in told(sample)["readings"].items()
        for quantity, value in values.items()
    }
    keys = list(zip(poll.points.components, poll.points.quantities, strict=True))
    found = {
        key: value
        for key, value, quality in zip(keys, poll.value.tolist(), poll.quality, strict=True)
        if quality != Quality.BAD
    }
    assert found == {key: pytest.approx(value, rel=1e-7) for key, value in expected.items()}
    uncertain = {key for key, q in zip(keys, poll.quality, strict=True) if q == Quality.UNCERTAIN}
    assert uncertain == set()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
async def test_what_a_device_says_it_has_not_is_no_value(sample: Path) -> None:
    """Points whose registers a sample leaves out are refused, and are no one's business here."""
    poll = await poll_of(sample)
    not_recorded = {f.row for f in poll.failures if NOT_RECORDED in f.reason}
    bad = set(np.flatnonzero(poll.quality == Quality.BAD).tolist()) - not_recorded
    absent = {
        (component, quantity)
        for component, quantities in told(sample).get("absent", {}).items()
        for quantity in quantities
    }
    assert {(poll.points.components[row], poll.points.quantities[row]) for row in bad} == absent


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_says_where_its_figures_come_from(sample: Path) -> None:
    assert len(str(told(sample)["source"])) > 40
    assert set(told(sample)) <= {"source", "readings", "absent", "identified"}


IDENTIFIED = [sample for sample in SAMPLES if "identified" in told(sample)]


@pytest.mark.parametrize("sample", IDENTIFIED, ids=lambda sample: sample.stem)
async def test_a_sample_that_says_whose_it_is_is_known(sample: Path) -> None:
    finding = await identify_capture(read_capture(sample))
    assert finding.chosen().profile.name == profile_of(sample)


def test_registers_of_a_sample_are_all_read() -> None:
    """A register that no point reads is a sample's mistake, or a point that was forgotten."""
    for sample in SAMPLES:
        capture = read_capture(sample)
        if isinstance(capture, Registers):
            section = load_profile(profile_of(sample)).modbus
            assert section is not None
            read = {
                (place.table, address)
                for place in wanted_ranges(section)
                for address in range(place.address, place.end)
            }
            named = {(table or section.table, address) for table, address in capture.values}
            assert named <= read, sample.name
