"""The servers of a site's devices, by protocol, all asking one plant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from collectors.profile import Profile
from collectors.profile_library import load_profile
from facility.errors import ConfigError
from facility.site import Device, Site, SnmpCredential
from simulator.dcgm_exporter import DcgmExporters, Printing
from simulator.dcgm_node import DcgmNode
from simulator.inference_server import InferenceServer
from simulator.live_value import LiveValue, live_value
from simulator.modbus_device import ModbusDevice
from simulator.modbus_faults import Fault
from simulator.modbus_server import ModbusServer
from simulator.plant import Plant
from simulator.plant.meter_faults import MeterFault, word_swapped
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

SERVED_SCHEMES = ("modbus", "snmp", "http")

EXPORTED_FIELDS = (100, 112, 140, 150, 153, 155, 156, 164, 203, 1002, 1004, 1005, 1130, 1133)
"""DCGM fields in the exporters' list, chosen for a scrape every second: clock and what holds it
down, temperatures, power, energy, limit, utilisation, SM, tensor and memory activity, CPU power."""


@asynccontextmanager
async def serve_devices(
    site: Site, plant: Plant, now: Callable[[], float], meter_faults: Sequence[MeterFault] = ()
) -> AsyncIterator[None]:
    """Answer for every device of the site at its address while the block runs.

    Raises:
        ConfigError: an address cannot be bound, or wants a protocol that is not simulated; words
            are to be swapped of a device that does not speak Modbus.
        ProfileError: a device's profile is not in the library.
    """
    devices = _by_scheme(site)
    async with AsyncExitStack() as stack:
        modbus = [_modbus_device(device, plant, now) for device in devices["modbus"]]
        server = await stack.enter_async_context(ModbusServer(modbus))
        for name in word_swapped(meter_faults):
            if name not in {device.id for device in devices["modbus"]}:
                raise ConfigError(f"meter fault: '{name}' is no Modbus device; it has no words")
            server.set_fault(name, Fault("word_swapped"))
        await _serve_snmp(stack, site, devices["snmp"], plant, now)
        await _serve_exporters(stack, devices["http"], plant, now)
        yield


def _by_scheme(site: Site) -> dict[str, list[Device]]:
    devices: dict[str, list[Device]] = defaultdict(list)
    for device in site.devices:
        if device.address.scheme not in SERVED_SCHEMES:
            raise ConfigError(
                f"{device.id}: {device.address} cannot be simulated; "
                f"write {', '.join(f'{scheme}://' for scheme in SERVED_SCHEMES)}"
            )
        devices[device.address.scheme].append(device)
    return devices


def _asked(device: Device, plant: Plant, now: Callable[[], float]) -> tuple[Profile, LiveValue]:
    profile = load_profile(device.profile)
    return profile, live_value(plant, device.id, profile, now)


def _modbus_device(device: Device, plant: Plant, now: Callable[[], float]) -> ModbusDevice:
    profile, value = _asked(device, plant, now)
    address = device.address
    return ModbusDevice(device.id, profile, value, address.host, address.port, address.unit)


async def _serve_snmp(
    stack: AsyncExitStack,
    site: Site,
    devices: Iterable[Device],
    plant: Plant,
    now: Callable[[], float],
) -> None:
    """Start an agent for each device; those of one login share an engine."""
    agents: dict[str | None, SnmpAgents] = {}
    for device in devices:
        if device.credential not in agents:
            credential = site.snmp_credentials.get(device.credential or "", SnmpCredential())
            agents[device.credential] = await stack.enter_async_context(SnmpAgents(credential))
        profile, value = _asked(device, plant, now)
        served = SnmpDevice(profile, plant.components(device.id), value)
        with _naming(device):
            await agents[device.credential].serve(served, device.address.host, device.address.port)


async def _serve_exporters(
    stack: AsyncExitStack, devices: Iterable[Device], plant: Plant, now: Callable[[], float]
) -> None:
    """Start an exporter for each; every other GPU node prints the names of after DCGM 4.6."""
    exporters = await stack.enter_async_context(DcgmExporters())
    for place, device in enumerate(devices):
        profile, value = _asked(device, plant, now)
        components = plant.components(device.id)
        printing: Printing
        if profile.exporter is not None:
            printing = InferenceServer(profile, components, value)
        else:
            printing = DcgmNode(
                profile,
                components,
                value,
                host_name=device.id.replace("/", "-"),
                generation="renamed" if place % 2 else "legacy",
                fields=EXPORTED_FIELDS,
            )
        with _naming(device):
            await exporters.serve(printing, device.address.host, device.address.port)


@contextmanager
def _naming(device: Device) -> Iterator[None]:
    """Say whose address cannot be bound."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{device.id}: cannot listen on {device.address}: {error.strerror}"
        ) from error
