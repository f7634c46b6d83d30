"""`busway profile`: which devices Busway reads, and what it reads of each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from busway.format import Format
from busway.output import as_text, write_table
from collectors.modbus.planner import value_range
from collectors.profile import (
    DcgmPoint,
    ModbusPoint,
    ModbusSection,
    Point,
    Profile,
    SeriesPoint,
    SnmpPoint,
)
from collectors.profile_library import load_profile, load_profile_file, profile_names
from facility.catalogue import load_catalogue

PROFILE_COLUMNS: dict[str, pa.DataType] = {
    "name": pa.string(),
    "maker": pa.string(),
    "model": pa.string(),
    "kind": pa.string(),
    "protocol": pa.string(),
    "points": pa.int64(),
    "verified_with": pa.string(),
}
POINT_COLUMNS: dict[str, pa.DataType] = {
    "component": pa.string(),
    "quantity": pa.string(),
    "unit": pa.string(),
    "where": pa.string(),
    "type": pa.string(),
    "scale": pa.float64(),
    "offset": pa.float64(),
    "counter": pa.string(),
    "note": pa.string(),
}


def print_profiles(output_format: Format) -> None:
    """Print one row a profile; `verified_with` is null where nothing was checked.

    Raises:
        ProfileError: a profile of ours is wrong.
    """
    rows = [_profile_row(load_profile(name)) for name in profile_names()]
    write_table(pa.Table.from_pylist(rows, pa.schema(PROFILE_COLUMNS)), output_format)


def print_profile(name: str, output_format: Format) -> None:
    """Print one row a point of the profile; for a person also whose map it is.

    Raises:
        ProfileError: there is none of that name, or its file is wrong.
    """
    profile = load_profile(name)
    if output_format is Format.TABLE:
        print("\n".join((*_headlines(profile), "")))
    rows = [_point_row(point, profile) for point in profile.points]
    write_table(pa.Table.from_pylist(rows, pa.schema(POINT_COLUMNS)), output_format)


def check_profile(path: Path) -> None:
    """Read a profile file as the collector would, and say that it is in order.

    Raises:
        ProfileError: with every mistake in it.
    """
    profile = load_profile_file(path)
    points = len(profile.points)
    print(f"{path}: {profile.name} is in order: {points} points over {profile.protocol}.")


def _profile_row(profile: Profile) -> dict[str, object]:
    return {
        "name": profile.name,
        "maker": profile.maker,
        "model": profile.model,
        "kind": profile.kind,
        "protocol": profile.protocol,
        "points": len(profile.points),
        "verified_with": profile.source.verified_with or None,
    }


def _headlines(profile: Profile) -> Iterable[str]:
    yield f"{profile.name}: {profile.maker} {profile.model}, {profile.kind} over {profile.protocol}"
    yield f"document       {profile.source.document}"
    yield f"verified with  {profile.source.verified_with or 'nothing'}"


def _point_row(point: Point, profile: Profile) -> dict[str, object]:
    where, kind = _place(point, profile)
    return {
        "component": point.component,
        "quantity": point.quantity,
        "unit": load_catalogue()[point.quantity].unit,
        "where": where,
        "type": kind,
        "scale": point.scale,
        "offset": point.offset,
        "counter": _counter(point),
        "note": point.note or None,
    }


def _place(point: Point, profile: Profile) -> tuple[str, str | None]:
    """Where the value stands on the device, and its type there."""
    match point:
        case ModbusPoint():
            assert profile.modbus is not None
            return _registers(point, profile.modbus)
        case SnmpPoint():
            return f"{point.oid}.{point.index}" if point.index else point.oid, point.type
        case DcgmPoint():
            return f"field {point.field} {point.names[0]}", None
        case SeriesPoint():
            labels = (f"{name}={'|'.join(values)}" for name, values in point.labels.items())
            return " ".join((point.names[0], *labels)), None
    raise AssertionError(type(point))


def _registers(point: ModbusPoint, section: ModbusSection) -> tuple[str, str]:
    bit = "" if point.bit is None else f" bit {point.bit}"
    order = point.word_order or section.word_order
    return f"{value_range(point, section)}{bit}", f"{point.type} {order}"


def _counter(point: Point) -> str | None:
    """A counter's facts in raw counts, as the profile gives them."""
    facts = point.counter
    if facts is None:
        return None
    wraps = "" if facts.modulus is None else f"wraps at {as_text(facts.modulus)}, "
    rate = "" if facts.max_rate is None else f", at most {as_text(facts.max_rate)} a second"
    return f"{wraps}step {facts.resolution:g}, resets {facts.resets}{rate}"
