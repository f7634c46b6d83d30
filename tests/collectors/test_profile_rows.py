"""What a table says of its own rows: what they are, by what to multiply, whether they work now."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from snmp_rig import by_name, why

from collectors.captures.walk import CaptureSession
from collectors.profile import Factor, SnmpPoint, SnmpSection
from collectors.snmp.layout import Findings, build_layout
from collectors.snmp.oid import Oid, parse_oid
from collectors.snmp.planner import plan
from collectors.snmp.session import Value
from collectors.snmp.sizes import Sizes
from collectors.snmp.source import SnmpSource
from facility.site import Device
from simulator.snmp_objects import profile_objects

KIND, POWER, VALUE, WORKS, NAME = (f"1.3.6.1.4.1.99999.1.{column}" for column in range(1, 6))
POINT = {
    "component": "sensor.{sensor}",
    "quantity": "temperature_c",
    "oid": VALUE,
    "index": "{sensor}",
    "where": [{"oid": KIND, "equals": 8}],
    "factor": {"oid": POWER, "by_code": {8: 0.001, 9: 1, 10: 1000}, "typical": 8},
    "ok_when": {"oid": WORKS, "equals": 1},
    "labels": {"sensor": [NAME]},
}


def section(**more: object) -> SnmpSection:
    return SnmpSection.model_validate({"points": [POINT | more]})


def rows(count: int, *names: str) -> dict[Oid, Value]:
    """Rows 1, 2, 3 ... of 21,000 thousandths each; further, 22,000 and so on."""
    cells: dict[Oid, Value] = {}
    for row in range(1, count + 1):
        for column, value in ((KIND, 8), (POWER, 8), (VALUE, 20_000 + 1000 * row), (WORKS, 1)):
            cells[*parse_oid(column), row] = value
    for row, name in enumerate(names, 1):
        cells[*parse_oid(NAME), row] = name.encode()
    return cells


def source(cells: dict[Oid, Value], **more: object) -> SnmpSource:
    device = Device(id="d", profile="x", address="snmp://10.0.0.1", role="environment")
    return SnmpSource(device, section(**more), CaptureSession(cells))


async def test_a_row_that_stops_working_has_no_value_from_the_next_poll_on() -> None:
    cells = rows(2)
    reader = source(cells)
    assert by_name(await reader.read()) == {
        ("sensor.1", "temperature_c"): 21.0,
        ("sensor.2", "temperature_c"): 22.0,
    }
    cells[*parse_oid(WORKS), 2] = 3
    assert why(await reader.read()) == {
        ("sensor.2", "temperature_c"): f"not available: {WORKS}.2 answers 3"
    }
    cells[*parse_oid(WORKS), 2] = 1
    assert why(await reader.read()) == {}


async def test_a_code_without_a_factor_gives_no_value() -> None:
    cells = rows(1)
    cells[*parse_oid(POWER), 1] = 7
    [reason] = why(await source(cells).read()).values()
    assert reason == "the device does not state its decimal digits, factor or unit"


async def test_a_row_must_be_all_that_is_asked() -> None:
    cells = rows(2, "Inlet", "Outlet")
    asked = [{"oid": KIND, "equals": 8}, {"oid": NAME, "equals": "Outlet"}]
    assert by_name(await source(cells, where=asked).read()) == {
        ("sensor.outlet", "temperature_c"): 22.0
    }


@pytest.mark.parametrize(
    ("names", "components"),
    [
        ((), ["sensor.1", "sensor.2"]),
        (("Rack 12 / Inlet", ""), ["sensor.rack-12-inlet", "sensor.2"]),
        (("  ", "\x00"), ["sensor.1", "sensor.2"]),
        (("Fan", "fan"), ["sensor.fan-1", "sensor.fan-2"]),
        (("Zuluft Süd", "2"), ["sensor.zuluft-süd", "sensor.2"]),
    ],
)
async def test_a_row_is_called_as_the_device_calls_it(
    names: tuple[str, ...], components: list[str]
) -> None:
    poll = await source(rows(2, *names)).read()
    assert list(poll.points.components) == components


def test_conditions_are_read_by_column_as_the_values_are() -> None:
    cells = rows(20)
    suffixes = [(row,) for row in range(1, 21)]
    findings = Findings(rows={parse_oid(VALUE): suffixes}, cells=dict(cells))
    layout = build_layout(section(), findings)
    [request] = plan(layout, Sizes(24, 40, most_get=24, most_bulk=40))
    assert request.oids == (parse_oid(VALUE), parse_oid(WORKS))
    assert request.repetitions == 20


async def test_a_simulated_device_states_its_factors_and_conditions() -> None:
    objects = profile_objects(section(), ["sensor.1"], lambda _component, _quantity: 23.5)
    cells = {oid: at.read() for oid, at in objects.items()}
    assert cells[*parse_oid(VALUE), 1] == 23_500
    assert by_name(await source(cells).read()) == {("sensor.1", "temperature_c"): 23.5}


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValidationError, match="typical: 11 is not among by_code"):
        Factor(oid=POWER, by_code={9: 1.0}, typical=11)
    with pytest.raises(ValidationError, match="greater than 0"):
        Factor(oid=POWER, by_code={9: 0.0}, typical=9)
    with pytest.raises(ValidationError, match=r"does not name \{rack\}"):
        SnmpPoint.model_validate(POINT | {"labels": {"rack": [NAME]}})
