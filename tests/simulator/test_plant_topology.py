"""Any site file makes a plant: racks found, power path followed, what is missing added."""

import pytest

from facility.address import Address
from facility.errors import ConfigError
from facility.roles import DeviceRole
from facility.site import Device, Feed, Place, Site
from simulator.plant import Plant
from simulator.plant.topology import read_topology, role_of_node

START = 1_790_000_000.0
ADDRESS = Address(scheme="http", host="10.0.0.1", port=80)


def device(name, role, *fed_by, **place):
    return Device(
        id=name, profile="any", address=ADDRESS, role=role, fed_by=fed_by, place=Place(**place)
    )


def site(*devices, nodes=(), feeds=()):
    return Site(
        name="s",
        devices=devices,
        nodes=nodes,
        feeds=tuple(Feed(source=source, target=target) for source, target in feeds),
    )


def racks(*devices, **more):
    return {
        (rack.place.rack, len(rack.nodes)): set(rack.fed_by)
        for rack in read_topology(site(*devices, **more)).racks
    }


def test_racks_of_the_same_name_in_two_rows_are_two():
    found = read_topology(
        site(
            device("row-1/rack-7/pdu-a", "rack_pdu", rack="7"),
            device("row-1/rack-7/node-1", "gpu_node", rack="7"),
            device("row-2/rack-7/pdu-a", "rack_pdu", rack="7"),
        )
    ).racks
    assert [len(rack.nodes) for rack in found] == [1, 0]
    assert [rack.fed_by for rack in found] == [("row-1/rack-7/pdu-a",), ("row-2/rack-7/pdu-a",)]


def test_nodes_kept_apart_from_their_pdus_are_fed_by_what_they_state():
    found = racks(
        device("power/pdu-1", "rack_pdu", rack="1"),
        device("power/pdu-2", "rack_pdu", rack="2"),
        device("compute/node-1", "gpu_node", "power/pdu-1", rack="1"),
        device("other/node-9", "gpu_node", rack="2"),
    )
    assert found == {("1", 1): {"power/pdu-1"}, ("2", 1): {"power/pdu-2"}}


def test_a_pdu_behind_a_shelf_is_the_last_supply():
    found = racks(
        device("r/shelf", "power_shelf", "r/pdu", rack="r"), device("r/pdu", "rack_pdu", rack="r")
    )
    assert found == {("r", 18): {"r/shelf"}}


def test_without_rack_or_folder_what_shares_a_supply_is_one_rack():
    found = read_topology(
        site(
            device("tap-1", "pdu_output_meter"),
            device("node-1", "gpu_node", "tap-1"),
            device("node-2", "gpu_node", "tap-1"),
        )
    ).racks
    assert [(len(rack.nodes), rack.fed_by) for rack in found] == [(2, ("tap-1",))]


def test_a_site_without_racks_has_one_behind_each_end():
    found = read_topology(
        site(device("utility", "utility_meter"), device("ups", "ups", "utility"))
    ).racks
    assert [rack.fed_by for rack in found] == [("ups",)]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("hall-1/transformer-2", DeviceRole.TRANSFORMER),
        ("ups_output_meter", DeviceRole.UPS_OUTPUT_METER),
        ("ups-3", DeviceRole.UPS),
        ("cooling-tower-1", DeviceRole.COOLING_TOWER),
        ("busbar", None),
        ("server-room", None),
    ],
)
def test_a_nodes_name_tells_its_role(name, role):
    assert role_of_node(name) is role


def test_a_busbar_named_after_the_ups_that_feed_it_loses_nothing():
    made = site(
        device("module-1", "ups"),
        device("tap", "pdu_output_meter", "ups-a"),
        nodes=("ups-a",),
        feeds=[("module-1", "ups-a")],
    )
    plant = Plant(made, seed=1, start_at=START)
    network = plant.network
    assert network.of_role(DeviceRole.UPS).tolist() == [network.index["module-1"]]
    bar = network.index["ups-a"]
    assert network.input[bar] == network.load[bar] > 0


def test_a_generator_carries_nothing_while_the_utility_is_there():
    made = site(
        device("utility", "utility_meter"),
        device("generator", "generator_meter"),
        device("ats", "switchgear", "utility", "generator"),
        device("tap", "pdu_output_meter", "ats"),
    )
    plant = Plant(made, seed=1, start_at=START)
    assert plant.value("generator", "", "active_power_w") == 0
    assert plant.value("utility", "", "active_power_w") > plant.value("tap", "", "active_power_w")


def test_cooling_fed_from_the_ups_is_not_it():
    made = site(
        device("utility", "utility_meter"),
        device("ups", "ups", "utility"),
        device("tap", "pdu_output_meter", "ups"),
        device("rack/pdu", "rack_pdu", "tap", rack="r"),
        device("rack/node", "gpu_node", rack="r"),
        device("cdu", "cdu", "ups"),
    )
    plant = Plant(made, seed=1, start_at=START)
    plant.advance(START + 10)
    truth = plant.truth(START + 10)
    ups_wh = plant.value("ups", "output", "energy_imported_wh")
    assert truth.cdu_wh > 0
    plant_again = Plant(made, seed=1, start_at=START)
    counted = ups_wh - plant_again.value("ups", "output", "energy_imported_wh")
    assert truth.it_1_wh == pytest.approx(counted - truth.cdu_wh, rel=1e-6)
    assert truth.it_3_wh < truth.it_2_wh < truth.it_1_wh


def test_what_the_site_does_not_list_is_added_once():
    made = site(device("utility", "utility_meter"), device("tower", "cooling_tower", "utility"))
    added = [part.role for part in read_topology(made).parts if part.id.startswith("unlisted")]
    assert sorted(added) == ["air_handler", "cdu", "chiller", "other_load_meter", "pump"]


def test_a_loop_and_an_unknown_source_are_refused_by_name():
    with pytest.raises(ConfigError, match="loop through"):
        Plant(site(device("a", "ups", "b"), device("b", "ups", "a")), seed=1, start_at=START)
    with pytest.raises(ConfigError, match="a is fed by nowhere"):
        Plant(site(device("a", "ups", "nowhere")), seed=1, start_at=START)
