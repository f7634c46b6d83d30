"""A site's configuration as rows of the lake's dimension tables. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from facility.catalogue import load_catalogue
from facility.counter import CounterFacts
from facility.loss_bands import loss_bands
from facility.site import Boundary, Factor, Meter, MeterSum, Site

CounterFactsOf = Callable[[str, str, str], CounterFacts | None]
"""By profile, component and quantity; None where the profile has no such counter."""
ENERGY = "energy_imported_wh"
WATTS_PER_KILOWATT = 1e3
WATTS_PER_MEGAWATT = 1e6


Row = dict[str, str | float | datetime | None]


def dimension_rows(site: Site, counter_facts: CounterFactsOf) -> dict[str, list[Row]]:
    """Give the rows that are true now, by table; their columns are those of `warehouse/schema/`."""
    return {
        "sites": [_site(site)],
        "devices": _devices(site),
        "meters": _meters(site, counter_facts),
        "boundary_terms": list(_boundary_terms(site.boundary)) if site.boundary else [],
        "feeds": [{"source": feed.source, "target": feed.target} for feed in site.feeds],
        "loss_bands": _loss_bands(site),
        "factors": [_factor(factor) for factor in site.factors],
        "quantities": _quantities(),
    }


def _site(site: Site) -> Row:
    provisioned_mw, boundary = site.provisioned_mw, site.boundary
    return {
        "site": site.name,
        "time_zone": site.time_zone,
        "provisioned_w": None if provisioned_mw is None else provisioned_mw * WATTS_PER_MEGAWATT,
        "boundary": None if boundary is None else boundary.id,
        "minimum_coverage_ratio": None if boundary is None else boundary.minimum_coverage_ratio,
    }


def _devices(site: Site) -> list[Row]:
    return [
        {
            "device": device.id,
            "profile": device.profile,
            "device_role": str(device.role),
            "interval_s": device.interval_seconds,
            "hall": device.place.hall,
            "row": device.place.row,
            "rack": device.place.rack,
        }
        for device in site.devices
    ]


def _meters(site: Site, counter_facts: CounterFactsOf) -> list[Row]:
    profiles = {device.id: device.profile for device in site.devices}
    return [
        _meter(meter, counter_facts(profiles[meter.device], meter.component, ENERGY))
        for meter in site.meters
    ]


def _meter(meter: Meter, facts: CounterFacts | None) -> Row:
    limit_kw = meter.max_power_kw
    return {
        "meter": meter.id,
        "device": meter.device,
        "component": meter.component,
        "meter_role": str(meter.role),
        "accuracy_class": meter.accuracy_class,
        "max_power_w": None if limit_kw is None else limit_kw * WATTS_PER_KILOWATT,
        "energy_modulus_wh": None if facts is None else facts.modulus,
        "energy_resolution_wh": None if facts is None else facts.resolution,
    }


def _boundary_terms(boundary: Boundary) -> Iterator[Row]:
    sums: list[tuple[str, int, MeterSum]] = [("e_dc", 0, boundary.e_dc)]
    sums += [("e_it", category, of_roles) for category, of_roles in boundary.e_it.items()]
    for total, category, of_roles in sums:
        for roles, sign in ((of_roles.add, 1), (of_roles.subtract, -1)):
            for role in roles:
                yield {
                    "boundary": boundary.id,
                    "total": total,
                    "category": category,
                    "meter_role": str(role),
                    "sign": sign,
                }


def _loss_bands(site: Site) -> list[Row]:
    return [
        {
            "part": str(part),
            "node_patterns": ",".join(band.nodes),
            "low_ratio": band.low_ratio,
            "typical_ratio": band.typical_ratio,
            "high_ratio": band.high_ratio,
            "source": band.source,
        }
        for part, band in loss_bands(site).items()
    ]


def _factor(factor: Factor) -> Row:
    is_word = isinstance(factor.value, str)
    return {
        "factor": factor.name,
        "subject": factor.subject,
        "value": None if is_word else factor.value,
        "text": factor.value if is_word else None,
        "applies_from": factor.applies_from,
        "applies_to": factor.applies_to,
    }


def _quantities() -> list[Row]:
    return [
        {
            "quantity": quantity.name,
            "unit": quantity.unit,
            "kind": quantity.kind,
            "range_low": quantity.range[0],
            "range_high": quantity.range[1],
            "meaning": quantity.meaning,
        }
        for quantity in load_catalogue().values()
    ]
