"""From a site file's factors to rows, and what must hold between them and the rest of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from facility.draft import Draft, StatedFactor
from facility.factors import CARBON_SOURCES, FACTORS, Factors
from facility.mistakes import Finding, Origin, did_you_mean
from facility.roles import DeviceRole
from facility.site import Factor
from facility.yaml_lines import YamlEntry, YamlFile


def undated_factors(factors: Factors, file: YamlFile) -> Iterator[StatedFactor]:
    """Give the factors that stand in the site file itself; they have no times."""
    for name in FACTORS:
        stated = getattr(factors, name)
        if isinstance(stated, Mapping):
            for subject, value in stated.items():
                factor = Factor(name=name, subject=subject, value=value)
                yield StatedFactor(factor, YamlEntry(file, ("factors", name, subject)), ())
        elif stated is not None:
            factor = Factor(name=name, value=stated)
            yield StatedFactor(factor, YamlEntry(file, ("factors", name)), ())


def check_factors(draft: Draft) -> Iterator[Finding]:
    """Subjects are known, amounts have times, and no factor stands in the file and in a table."""
    known = _known_subjects(draft)
    undated: dict[tuple[str, str], Origin] = {}
    for factor, origin, field in draft.factors:
        key = (factor.name, factor.subject)
        if factor.applies_from is None:
            undated[key] = origin
            if factor.name == "fuel_used":
                yield Finding(origin, field, "an amount needs times; put it in a table")
        elif key in undated:
            text = f"{undated[key].place()} states it for all times; keep it there or here"
            yield Finding(origin, (), text)
        subjects = known.get(factor.name)
        if subjects is not None and factor.subject not in subjects:
            text = f"'{factor.subject}' is none of its subjects; "
            yield Finding(origin, field, text + did_you_mean(factor.subject, subjects))


def _known_subjects(draft: Draft) -> dict[str, set[str]]:
    """Which subjects a factor may have, where the rest of the file decides."""
    devices = [device for device, _ in draft.devices]
    ids = {device.id for device in devices} | draft.broken_names
    fuels = {
        stated.factor.subject
        for stated in draft.factors
        if stated.factor.name == "fuel_kwh_per_unit"
    }
    known = {
        "carbon_kg_per_kwh": fuels | {*CARBON_SOURCES},
        "source_energy_ratio": fuels | {"district_cooling"},
        "fuel_used": fuels,
    }
    if not draft.has_lost_names:
        known |= {
            "air_class": {device.place.hall for device in devices if device.place.hall},
            "water_intake": ids,
            "heat_use": ids,
            "fluid_w_per_lpm_k": ids | {device.role.value for device in devices},
            "gpu_model": {device.id for device in devices if device.role is DeviceRole.GPU_NODE}
            | draft.broken_names
            | {DeviceRole.GPU_NODE.value},
            "intake_sensor": ids | {device.profile for device in devices},
        }
    return known
