"""What a simulated device answers now: the plant's value, or the device's own code for health."""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.profile import Profile
from simulator.plant import Plant

LiveValue = Callable[[str, str], float | None]
"""(component, quantity) -> value in the quantity's unit; None where the device has none."""

HEALTHY = ("normal", "ok", "online", "on mains", "on", "resting")
"""Names by which profiles call the code of a device that is well; the first that fits is taken."""


def live_value(
    plant: Plant, device: str, profile: Profile, now: Callable[[], float] = time.time
) -> LiveValue:
    """Give the answers of a device; each asks the plant at that very moment of `now`.

    The plant knows states, and no maker's codes for them: those come from the profile.
    """
    codes = {
        (point.component, point.quantity): code
        for point in profile.points
        if point.quantity.endswith("_code") and (code := _healthy_code(point.states)) is not None
    }

    def value(component: str, quantity: str) -> float | None:
        plant.advance(now())
        found = plant.value(device, component, quantity)
        return codes.get((component, quantity)) if found is None else found

    return value


def _healthy_code(states: dict[int, str]) -> float | None:
    by_name = {name.lower(): code for code, name in states.items()}
    return next((float(by_name[name]) for name in HEALTHY if name in by_name), None)
