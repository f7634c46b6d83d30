"""How fast a meter's energy register can grow, by what the site file says can flow. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from facility.site import Site

ENERGY = "energy_imported_wh"
"""The register of a meter: see `docs/architecture.md`."""
Limits = Mapping[str, float]
"""The largest power of each metered component of a device, W."""
NO_LIMITS: Limits = {}


def power_limits(site: Site) -> dict[str, dict[str, float]]:
    """The limits of each device that the site's meters state any of."""
    limits: dict[str, dict[str, float]] = {}
    for meter in site.meters:
        if meter.max_power_kw is not None:
            limits.setdefault(meter.device, {})[meter.component] = meter.max_power_kw * 1000
    return limits


def device_limits(site: Site, device: str) -> Limits:
    """The limits of one device."""
    return power_limits(site).get(device, NO_LIMITS)


def fastest_growth(
    components: Sequence[str], quantities: Sequence[str], limits: Limits
) -> npt.NDArray[np.float64]:
    """By row, the fastest growth of an energy register, Wh per second; NaN where not limited."""
    return np.array(
        [
            limits.get(component, np.nan) / 3600 if quantity == ENERGY else np.nan
            for component, quantity in zip(components, quantities, strict=True)
        ],
        np.float64,
    )
