"""Registers that turn, and what happens to them: what the properties of energies are tried on."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

INTERVAL_S = 10
COUNT = 420
"""Readings of a meter: 70 minutes, so that some cells of a quarter of an hour are whole."""
LIMIT_W = 1e6

few = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # to shrink one would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
seeds = st.integers(0, 2**32 - 1)
positions = st.integers(2, COUNT - 3)


@dataclass(frozen=True)
class Fault:
    """Something that happens to a register at a reading, for `length` readings."""

    kind: str
    position: int
    length: int


faults = st.lists(
    st.builds(
        Fault,
        st.sampled_from(["gap", "dip", "spike", "reset", "jump"]),
        positions,
        st.integers(1, 40),
    ),
    max_size=4,
)


def turning(seed: int, *, modulus_wh: float | None = None) -> dict[float, float]:
    """Give a register that turns with a load of 5 % to 100 % of the limit, read with jitter."""
    rng = random.Random(seed)
    shown, readings, second = rng.uniform(1e6, 9e6), {}, float(-INTERVAL_S)
    for n in range(COUNT):
        now = n * INTERVAL_S + round(rng.uniform(0, 0.9), 3)
        shown += LIMIT_W * rng.uniform(0.05, 1) * (now - second) / 3600
        second = now
        readings[now] = float(int(shown)) % modulus_wh if modulus_wh else float(int(shown))
    return readings


def spoilt(readings: dict[float, float], happenings: list[Fault]) -> dict[float, float]:
    spoilt = dict(readings)
    times = sorted(readings)
    for fault in happenings:
        span = times[fault.position : fault.position + fault.length]
        after = times[fault.position :]
        before = spoilt.get(times[fault.position], 0.0)
        for second in span if fault.kind in ("gap", "dip", "spike") else after:
            if second not in spoilt:
                continue
            if fault.kind == "gap":
                del spoilt[second]
            elif fault.kind == "dip":
                spoilt[second] = 0.0
            elif fault.kind == "spike":
                spoilt[second] += 7e9
            elif fault.kind == "jump":
                spoilt[second] += 3e8
            else:
                spoilt[second] = max(spoilt[second] - before, 0.0)
    return spoilt
