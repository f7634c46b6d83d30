"""What must hold along the power path, and between the meters on it."""

from __future__ import annotations

from collections.abc import Iterator

from facility.draft import Draft, Edge
from facility.mistakes import Finding, Origin, Step, near
from facility.power_path import find_cycles, in_series
from facility.roles import MeterRole
from facility.site import Boundary, MeterSum

COMPARISONS = 300_000
"""How many names are compared to find near ones; among 90,000 it takes a second for each."""

LONGEST = 8
"""Places of a circle that are all named."""


def check_power_path(draft: Draft) -> Iterator[Finding]:
    """Every step joins two known places, once, and no way leads back."""
    edges = list(draft.edges())
    yield from _unknown_ends(draft, edges)
    first: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        other = first.setdefault((edge.source, edge.target), edge)
        if other is not edge:
            text = (
                f"'{edge.source}' already feeds '{edge.target}' by {other.origin.place()}; "
                "remove one of them"
            )
            yield Finding(edge.origin, edge.field, text)
    for cycle in find_cycles(first):
        edge = first[cycle[-2], cycle[-1]]
        shown = cycle if len(cycle) <= LONGEST else [*cycle[:2], "...", *cycle[-2:]]
        text = f"power would flow in a circle: {' -> '.join(shown)}; remove one of these steps"
        yield Finding(edge.origin, edge.field, text)


def _unknown_ends(draft: Draft, edges: list[Edge]) -> Iterator[Finding]:
    if draft.has_lost_names:
        return
    known = {device.id for device, _ in draft.devices} | {name for name, _ in draft.nodes}
    known |= draft.broken_names
    hints: dict[str, str] = {}
    most_hints = COMPARISONS // max(len(known), 1)
    for edge in edges:
        for name, field in ((edge.source, "from"), (edge.target, "to")):
            if name not in known:
                if name not in hints:
                    hints[name] = near(name, known) if len(hints) < most_hints else ""
                text = f"'{name}' is no device and no node{hints[name]}"
                yield Finding(edge.origin, edge.field or (field,), text)


def check_meters(draft: Draft) -> Iterator[Finding]:
    """Every meter is a known device's, and nothing is metered twice."""
    devices = {device.id for device, _ in draft.devices} | draft.broken_names
    nodes = {name for name, _ in draft.nodes}
    places: dict[tuple[str, str], Origin] = {}
    names: dict[str, Origin] = {}
    for meter, origin in draft.meters:
        if meter.device in nodes:
            text = f"'{meter.device}' is a node, which nobody polls; name a device"
            yield Finding(origin, ("device",), text)
        elif meter.device not in devices and not draft.has_lost_names:
            text = f"'{meter.device}' is no device{near(meter.device, devices)}"
            yield Finding(origin, ("device",), text)
        other = places.setdefault((meter.device, meter.component), origin)
        if other is not origin:
            part = f"component '{meter.component}' of " if meter.component else ""
            text = f"{part}'{meter.device}' is already metered by {other.place()}; keep one"
            yield Finding(origin, (), text)
        elif names.setdefault(meter.id, origin) is not origin:
            text = (
                f"'{meter.id}' is already the id of {names[meter.id].place()}; rename one of them"
            )
            yield Finding(origin, ("id",), text)


def check_series(draft: Draft) -> Iterator[Finding]:
    """No meter is fed by another of its role: a sum over the role would count twice."""
    marks: dict[str, dict[MeterRole, Origin]] = {}
    for meter, origin in draft.meters:
        if meter.role is not MeterRole.FEEDER:
            marks.setdefault(meter.device, {})[meter.role] = origin
    steps = ((edge.source, edge.target) for edge in draft.edges())
    for upstream, downstream, role in in_series(steps, {at: set(m) for at, m in marks.items()}):
        text = (
            f"'{downstream}' is fed by '{upstream}' ({marks[upstream][role].place()}), and both "
            f"count as {role}, so its energy would count twice; make one of them {MeterRole.FEEDER}"
        )
        yield Finding(marks[downstream][role], ("role",), text)


def check_boundary(draft: Draft, boundary: Boundary, origin: Origin) -> Iterator[Finding]:
    """Every role of the boundary's sums is some meter's, and none is both added and subtracted."""
    metered = {meter.role for meter, _ in draft.meters}
    sums: dict[tuple[Step, ...], MeterSum] = {("e_dc",): boundary.e_dc}
    sums |= {("e_it", category): terms for category, terms in boundary.e_it.items()}
    for field, terms in sums.items():
        for role in (*terms.add, *terms.subtract):
            if role not in metered and not draft.has_lost_meters:
                text = f"no meter has the role {role}; add one under meters, or leave the role out"
                yield Finding(origin, field, text)
        for role in set(terms.add) & set(terms.subtract):
            yield Finding(origin, field, f"{role} is both added and subtracted; keep one")
