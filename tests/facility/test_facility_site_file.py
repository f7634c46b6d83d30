"""What a right site file becomes."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yaml import safe_dump

from facility.errors import SiteFileError
from facility.roles import DeviceRole, MeterRole
from facility.site import Feed, Place, Site
from facility.site_entries import SiteFile
from facility.site_file import load_site

Load = Callable[..., Site]
METER = "{id: utility/meter, profile: m, address: 'modbus://10.0.0.1', role: utility_meter}"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def write_and_load(text: str, **files: str) -> Site:
        for name, content in files.items():
            (tmp_path / name.replace("__", ".")).write_text(content, "utf-8")
        (tmp_path / "site.yaml").write_text(f"site: {{name: a}}\n{text}", "utf-8")
        return load_site(tmp_path / "site.yaml")

    return write_and_load


def test_a_site_needs_a_name_and_a_device_and_has_defaults_for_the_rest(load: Load) -> None:
    site = load(f"devices: [{METER}]")
    device = site.devices[0]
    assert (site.name, site.time_zone, site.provisioned_mw) == ("a", "UTC", None)
    assert (device.interval_seconds, device.timeout_seconds) == (10, 3)
    assert (device.role, device.place) == (DeviceRole.UTILITY_METER, Place())


def test_a_group_makes_a_device_of_every_combination(load: Load) -> None:
    site = load("""
groups:
  - id: hall-{hall}/rack-{rack:02}/pdu-{side}
    for: {hall: 1..2, rack: 1..10, side: [a, b]}
    profile: raritan-px3
    address: snmp://10.{hall}.{side#}.{rack+100}
    role: rack_pdu
    place: {hall: "hall-{hall}", rack: "{rack:02}"}
    fed_by: ["hall-{hall}/panel-{side}", spare]
nodes:
  - spare
  - {id: "hall-{hall}/panel-{side}", for: {hall: 1..2, side: [a, b]}}
""")
    assert len(site.devices) == 40
    last = site.devices[-1]
    assert last.id == "hall-2/rack-10/pdu-b"
    assert str(last.address) == "snmp://10.2.2.110:161"
    assert last.place == Place(hall="hall-2", rack="10")
    assert last.fed_by == ("hall-2/panel-b", "spare")
    assert site.nodes == (
        "spare",
        *(f"hall-{hall}/panel-{side}" for hall in (1, 2) for side in "ab"),
    )


def test_an_inventory_gives_a_device_a_row(load: Load) -> None:
    site = load(
        f"devices: [{METER}]\nsnmp_credentials: {{pdu: {{}}}}\ninventory: [racks.csv]",
        racks__csv=(
            "\ufeffrole,id,address,profile,interval_seconds,hall,row,rack,fed_by,credential\n"
            "rack_pdu,rack-1/pdu,snmp://10.0.0.2,raritan-px3,30,hall-1,03,12,utility/meter,pdu\n"
            "\n"
            'rack_pdu,"rack-2/pdu",snmp://10.0.0.3 , raritan-px3,,,,,utility/meter;rack-1/pdu,\n'
        ),
    )
    _, first, second = site.devices
    assert (first.interval_seconds, first.credential) == (30, "pdu")
    assert first.place == Place(hall="hall-1", row="03", rack="12")
    assert second.fed_by == ("utility/meter", "rack-1/pdu")
    assert (second.interval_seconds, second.credential) == (10, None)


def test_a_gpu_node_may_say_how_many_gpus_it_must_have_or_which(load: Load) -> None:
    node = "profile: nvidia-dcgm-exporter, role: gpu_node"
    site = load(
        f"devices: [{{id: node-0, {node}, address: 'http://n0', gpus: [GPU-a, GPU-b]}}]\n"
        "groups:\n"
        f"- {{id: 'node-{{n}}', for: {{n: 1..2}}, {node}, address: 'http://n{{n}}', gpus: 8}}\n"
        "inventory: [nodes.csv]",
        nodes__csv=(
            "id,profile,address,role,gpus\n"
            "node-3,nvidia-dcgm-exporter,http://n3,gpu_node,4\n"
            "node-4,nvidia-dcgm-exporter,http://n4,gpu_node,GPU-c; GPU-d\n"
            "node-5,nvidia-dcgm-exporter,http://n5,gpu_node,\n"
        ),
    )
    expected = [device.gpus for device in site.devices]
    assert expected == [("GPU-a", "GPU-b"), 8, 8, 4, ("GPU-c", "GPU-d"), None]


def test_a_device_states_or_takes_the_defaults_and_its_timeout_fits_its_interval(
    load: Load,
) -> None:
    site = load("""
defaults: {interval_seconds: 5, timeout_seconds: 2}
devices:
  - {id: a, profile: m, address: "modbus://10.0.0.1", role: feeder_meter}
  - {id: b, profile: m, address: "modbus://10.0.0.2", role: feeder_meter, interval_seconds: 1}
  - {id: c, profile: m, address: "modbus://10.0.0.3", role: feeder_meter, timeout_seconds: 4}
""")
    assert [(d.interval_seconds, d.timeout_seconds) for d in site.devices] == [
        (5, 2),
        (1, 1),
        (5, 4),
    ]


def test_the_power_path_holds_what_devices_and_feeds_state(load: Load) -> None:
    site = load(f"""
devices:
  - {METER}
  - {{id: ups, profile: u, address: "modbus://10.0.0.2", role: ups, fed_by: [transformer]}}
nodes: [transformer, "load-1", "load-2"]
feeds:
  - {{from: utility/meter, to: transformer}}
  - {{from: ups, to: "load-{{n}}", for: {{n: 1..2}}}}
""")
    assert site.feeds == (
        Feed(source="transformer", target="ups"),
        Feed(source="utility/meter", target="transformer"),
        Feed(source="ups", target="load-1"),
        Feed(source="ups", target="load-2"),
    )


def test_meters_are_single_devices_or_all_of_a_role_and_profile(load: Load) -> None:
    site = load(f"""
devices: [{METER}]
groups:
  - id: pdu-{{n}}
    for: {{n: 1..2}}
    profile: raritan-px3
    address: snmp://10.0.1.{{n}}
    role: rack_pdu
  - {{id: "apc-{{n}}", for: {{n: 3}}, profile: apc, address: "snmp://10.0.1.{{n}}", role: rack_pdu}}
meters:
  - {{id: revenue, device: utility/meter, role: utility, accuracy_class: 0.2, max_power_kw: 100}}
  - {{devices: {{role: rack_pdu, profile: raritan-px3}}, component: inlet.1, role: it_input}}
  - {{devices: {{profile: apc}}, role: it_input}}
boundary:
  e_dc: [utility]
  e_it: {{3: {{add: [it_input], subtract: []}}}}
""")
    assert [meter.id for meter in site.meters] == [
        "revenue",
        "pdu-1:inlet.1",
        "pdu-2:inlet.1",
        "apc-3",
    ]
    assert (site.meters[0].accuracy_class, site.meters[0].max_power_kw) == (0.2, 100)
    assert (site.meters[1].device, site.meters[1].component) == ("pdu-1", "inlet.1")
    assert site.boundary is not None
    assert site.boundary.e_dc.add == (MeterRole.UTILITY,)
    assert site.boundary.e_it[3].add == (MeterRole.IT_INPUT,)


def test_paths_are_relative_to_the_files_folder(load: Load, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n", "utf-8")
    site = load(
        f"""
devices: [{METER}]
snmp_credentials: {{pdu: {{community: {{file: secret}}}}}}
http_credentials: {{exporter: {{ca_file: ca.pem}}}}
kafka: {{tls: {{ca_file: ca.pem}}, sasl: {{user: busway, password: {{file: /run/secret}}}}}}
outbox: {{directory: box}}
""",
        ca__pem="",
    )
    assert site.outbox.directory == tmp_path / "box"
    assert site.lake.directory == tmp_path / "lake"
    assert site.http_credentials["exporter"].ca_file == tmp_path / "ca.pem"
    community = site.snmp_credentials["pdu"].community
    assert community != "public"
    assert community.reveal() == "hush"
    assert site.kafka.tls is not None
    assert site.kafka.tls.ca_file == tmp_path / "ca.pem"
    assert site.kafka.sasl is not None
    assert site.kafka.sasl.password.file == Path("/run/secret")


def test_devices_of_different_profiles_may_share_an_address(load: Load) -> None:
    site = load("""
devices:
  - {id: ups, profile: ups-card, address: "snmp://10.0.0.1", role: ups}
  - {id: ups/sensor, profile: card-sensor, address: "snmp://10.0.0.1", role: environment}
""")
    assert len(site.devices) == 2


def test_profiles_are_taken_on_trust_unless_told_and_may_be_bare_names(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(f"site: {{name: a}}\ndevices: [{METER}]\n", "utf-8")
    assert load_site(path)
    assert load_site(path, profiles={"m"})
    with pytest.raises(SiteFileError, match="unknown profile 'm'; known: n"):
        load_site(path, profiles=["n"])


@pytest.mark.parametrize(
    ("content", "text"), [(None, "cannot be read"), (b"site:\n\xff", ":2: is not UTF-8")]
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, text: str
) -> None:
    path = tmp_path / "site.yaml"
    if content:
        path.write_bytes(content)
    with pytest.raises(SiteFileError) as caught:
        load_site(path)
    assert str(caught.value).startswith(str(path))
    assert text in str(caught.value)


def test_the_garbage_collector_is_left_as_it_was(load: Load) -> None:
    with pytest.raises(SiteFileError):
        load("devices: []")
    assert gc.isenabled()


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["a", "b", "{n}", "1..3"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["id", "for", "n", "profile", "address", "role", "place", "fed_by", "device", "env"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.dictionaries(st.sampled_from(sorted(SiteFile.model_fields)), values))
def test_any_data_is_a_site_or_refused_line_by_line(tmp_path: Path, data: object) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(safe_dump(data), "utf-8")
    with pytest.raises(SiteFileError) as caught:
        load_site(path, profiles=["a"])
    assert all(line.startswith(f"{path}:") for line in str(caught.value).splitlines())
