"""Whatever a profile asks of a device, the plant has a physical answer to."""

import re

import pytest

from collectors.profile_library import load_profile, profile_names
from facility.address import PROTOCOL_SCHEMES
from facility.catalogue import load_catalogue
from facility.site import Device, Place, Site
from simulator.demo_site import demo_site
from simulator.live_value import live_value
from simulator.plant import Plant

START = 1_790_000_000.0
ROLES = {
    "meter": "feeder_meter",
    "pdu": "rack_pdu",
    "ups": "ups",
    "chiller": "chiller",
    "cdu": "cdu",
    "air_handler": "air_handler",
    "gpu_node": "gpu_node",
    "inference_server": "inference_server",
    "pump": "pump",
    "sensor": "environment",
}
NOT_IN_THE_PLANT = {
    "bachmann-bluenet2": r"sensor\..*",
    "chatsworth-pdu": r"pdu\..*",
    "delta-ups": r"bypass.*",
    "eaton-mge-ups": r"sensor\..*",
    "eaton-ups": r"bypass",
    "entity-sensor-rfc3433": r"sensor\..*",
    "huawei-ups": r"bypass.*",
    "ocp-orv3-hpr-bbu": r"battery\..*",
    "ocp-orv3-hpr-psu": r"(fan\.\d|input|output)?",
    "ocp-orv3-psu": r"(fan\.\d|input|output)?",
    "rittal-cmc3": r"unit\..*",
    "rittal-it-chiller": r"",
    "socomec-netvision": r"bypass.*",
    "vertiv-liebert-icom": r"(sensor\..*)?",
    "vertiv-liebert-ups": r"bypass.*",
}
"""Components of which the plant's device of that kind lacks something: bypasses are never metered,
power supplies and single sensors are no devices of their own, a chiller's flow is its pump's, and
an air handler knows no outdoor air."""
DEMO = demo_site(2)
GPUS = Device(
    id="node",
    profile="nvidia-dcgm-exporter",
    address="http://10.0.0.2",
    role="gpu_node",
    place=Place(hall="h", rack="r"),
)
"""What an inference server runs on."""
MODELS = {device.profile: device.id for device in DEMO.devices}


@pytest.fixture(scope="module")
def demo_plant():
    plant = Plant(DEMO, seed=1, start_at=START)
    plant.advance(START + 30)
    return plant


def names(template, component):
    """Whether a profile's component, with its names in braces, is this one of the device."""
    first = template.split("/mig.")[0]  # no GPU of the plant's is partitioned
    pattern = re.sub(r"\\\{\w+\\\}", r"[\\w.-]+", re.escape(first))
    return re.fullmatch(pattern, component) is not None


def unanswered(plant, device, profile):
    """Points that no component of the device answers, or not within the quantity's range."""
    value = live_value(plant, device, profile, now=lambda: START + 30)
    missing = []
    for point in profile.points:
        answers = [
            value(component, point.quantity)
            for component in plant.components(device)
            if names(point.component, component)
        ] or [value(point.component, point.quantity)]
        low, high = load_catalogue()[point.quantity].range
        if not any(answer is not None and low <= answer <= high for answer in answers):
            missing.append((point.component, point.quantity))
    return missing


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_point_of_the_demos_devices_is_answered(name, demo_plant):
    assert unanswered(demo_plant, MODELS[name], load_profile(name)) == []


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_can_be_simulated(name):
    profile = load_profile(name)
    scheme = PROTOCOL_SCHEMES[profile.protocol][0]
    device = Device(
        id="device",
        profile=name,
        address=f"{scheme}://10.0.0.1",
        role=ROLES[profile.kind],
        place=Place(hall="h", rack="r"),
    )
    devices = (device, GPUS) if profile.kind == "inference_server" else (device,)
    plant = Plant(Site(name="one", devices=devices), seed=1, start_at=START)
    missing = unanswered(plant, "device", profile)
    lacking = NOT_IN_THE_PLANT.get(name)
    assert [p for p in missing if lacking is None or not re.fullmatch(lacking, p[0])] == []
    assert bool(missing) == (lacking is not None), "is it in the plant by now?"


def test_what_a_device_has_not_is_none(demo_plant):
    assert demo_plant.value("utility/meter", "", "gpu_temperature_c") is None
    assert demo_plant.value("utility/meter", "phase.4", "current_a") is None
    assert demo_plant.value("utility/meter", "phase", "current_a") is None
    assert demo_plant.value("nobody", "", "active_power_w") is None
    assert demo_plant.components("nobody") == ()
