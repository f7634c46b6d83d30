import pytest

from facility.roles import DeviceRole
from simulator.demo_site import demo_site, demo_site_text


def count(site, role):
    return sum(device.role is role for device in site.devices)


def test_the_demo_has_the_racks_asked_for_and_the_plant_of_their_size():
    site = demo_site(8)
    assert count(site, DeviceRole.GPU_NODE) == 8 * 18
    assert count(site, DeviceRole.RACK_PDU) == 2 * (8 + 2)
    assert count(site, DeviceRole.CHILLER) == 2
    assert {meter.role for meter in site.meters} == {
        "utility", "ups_output", "pdu_output", "it_input", "cooling", "other"
    }  # fmt: skip


def test_every_device_has_an_address_of_its_own_on_loopback():
    site = demo_site(200)
    hosts = [device.address.host for device in site.devices]
    assert len(set(hosts)) == len(hosts)
    assert all(host.startswith("127.") for host in hosts)
    assert all(device.address.port > 1024 for device in site.devices)


@pytest.mark.parametrize("racks", [1, 2, 5, 64])
def test_any_number_of_racks_makes_a_sound_site(racks):
    assert count(demo_site(racks), DeviceRole.GPU_NODE) == racks * 18


@pytest.mark.parametrize("racks", [0, 201])
def test_more_racks_than_addresses_are_refused(racks):
    with pytest.raises(ValueError, match="1 to 200 racks"):
        demo_site(racks)


def test_the_ports_can_be_chosen():
    ports = {
        device.address.port
        for device in demo_site(1, modbus_port=1, snmp_port=2, http_port=3).devices
    }
    assert ports == {1, 2, 3}


def test_a_person_can_read_the_file():
    assert len(demo_site_text(200).splitlines()) < 200
