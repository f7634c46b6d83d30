"""A whole 250 MW site runs at a step a second in little CPU."""

import time

import pytest

from facility.address import Address
from facility.roles import DeviceRole
from facility.site import Device, Place, Site
from simulator.plant import Plant

START = 1_790_000_000.0
AI_RACKS, ORDINARY_RACKS = 1_296, 1_080
RACKS_OF_A_UPS = 14
ADDRESS = Address(scheme="modbus", host="10.0.0.1", port=502)


def device(name, role, *fed_by, place=None):
    return Device.model_construct(
        id=name,
        profile="any",
        address=ADDRESS,
        role=role,
        place=place or Place(),
        fed_by=fed_by,
    )


def rack(number):
    """A rack with its two feeds: 4 power shelves a side, or a PDU a side."""
    place = Place(hall=f"hall-{number % 6}", row=f"row-{number // 16}", rack=f"rack-{number}")
    for side in "ab":
        tap = f"rack-{number}/tap-{side}"
        yield device(
            tap, DeviceRole.PDU_OUTPUT_METER, f"ups-{number // RACKS_OF_A_UPS}{side}", place=place
        )
        if number >= AI_RACKS:
            yield device(f"rack-{number}/pdu-{side}", DeviceRole.RACK_PDU, tap, place=place)
            continue
        for shelf in range(4):
            yield device(
                f"rack-{number}/shelf-{side}{shelf}", DeviceRole.POWER_SHELF, tap, place=place
            )
    for node in range(18 if number < AI_RACKS else 0):
        yield device(f"rack-{number}/node-{node}", DeviceRole.GPU_NODE, place=place)


def site_of_250_mw():
    devices = [device(f"utility-{n}", DeviceRole.UTILITY_METER) for n in range(4)]
    racks = AI_RACKS + ORDINARY_RACKS
    for ups in range(racks // RACKS_OF_A_UPS + 1):
        devices += [
            device(f"ups-{ups}{side}", DeviceRole.UPS, f"utility-{ups % 4}") for side in "ab"
        ]
    devices += [device(f"cooling-{n}", DeviceRole.COOLING_METER, f"utility-{n}") for n in range(4)]
    for role, count in (
        ("chiller", 24),
        ("cdu", 324),
        ("air_handler", 400),
        ("pump", 200),
        ("cooling_tower", 72),
    ):
        for n in range(count):
            place = Place(hall=f"hall-{n % 6}") if role in ("cdu", "air_handler") else Place()
            devices.append(device(f"{role}-{n}", DeviceRole(role), f"cooling-{n % 4}", place=place))
    for number in range(racks):
        devices += rack(number)
    return Site.model_construct(
        name="250 MW", time_zone="Asia/Seoul", devices=tuple(devices), nodes=(), feeds=(), meters=()
    )


def test_a_whole_site_steps_faster_than_time(record_property):
    site = site_of_250_mw()
    begun = time.process_time()
    plant = Plant(site, seed=1, start_at=START, step_s=1.0)
    built_s = time.process_time() - begun
    assert plant.gpu_count == 93_312
    begun = time.process_time()
    plant.advance(START + 20)
    step_s = (time.process_time() - begun) / 20
    record_property("step_ms", round(1_000 * step_s, 1))
    record_property("built_s", round(built_s, 2))
    truth = plant.truth(START + 20)
    megawatts = truth.utility_wh / 20 * 3600 / 1e6
    assert 120 < megawatts < 280
    assert step_s < 0.1
    assert plant.value("rack-77/shelf-a2", "", "active_power_w") > 5_000
    assert truth.utility_wh == pytest.approx(
        truth.it_3_wh
        + truth.cooling_wh
        + truth.other_wh
        + truth.transformer_loss_wh
        + truth.ups_loss_wh
        + truth.cable_loss_wh
    )
