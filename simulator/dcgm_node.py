"""A GPU node behind dcgm-exporter: the text it prints, with faults that can be switched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from collectors.profile import DcgmPoint, Profile
from facility.catalogue import load_catalogue
from simulator.exporter_faults import ExporterFaults
from simulator.live_value import LiveValue

Generation = Literal["legacy", "renamed"]
"""Field names of before DCGM 4.6 and `Hostname`, or those of after and `hostname`."""

DOUBLE_FIELDS = {155, 164, *range(1001, 1009), 1110, 1130, 1133}
"""Fields that DCGM holds as doubles (dcgm_fields.cpp); the exporter prints them with six digits."""
BLANK = "9223372036854775794"
"""DCGM's int64 for "not supported", as exporters have printed it."""
MODEL, DRIVER = "NVIDIA GB200", "580.82.07"


@dataclass(slots=True)
class DcgmFaults(ExporterFaults):
    """What is wrong with the exporter, its text among it; all off at first."""

    frozen: bool = False
    """The text stays as it was."""
    hidden: set[str] = field(default_factory=set)
    """Components that have gone."""
    blank: set[str] = field(default_factory=set)
    """Quantities that print DCGM's blank."""
    duplicated: bool = False
    """Every first series of a field is printed again with another number."""
    not_utf8: bool = False
    """Every label has a byte that is not UTF-8."""


class DcgmNode:
    """One exporter's text.

    Args:
        profile: names the fields; its `dcgm` section is given.
        components: `gpu.<UUID>` and `cpu.<n>`.
        value: the live value of a component's quantity; None leaves the series out.
        host_name: of the node.
        generation: which names are printed.
        collect_interval_s: the exporter samples so often; texts in between are the same.
        fields: DCGM field ids to print; None for all.
    """

    def __init__(
        self,
        profile: Profile,
        components: Iterable[str],
        value: LiveValue,
        *,
        host_name: str = "node",
        generation: Generation = "legacy",
        collect_interval_s: float = 0.0,
        fields: Iterable[int] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        assert profile.dcgm is not None
        self.faults = DcgmFaults()
        wanted = None if fields is None else set(fields)
        components = tuple(components)
        points = [p for p in profile.dcgm.points if wanted is None or p.field in wanted]
        self._blocks = [_Block(p, components, host_name, generation) for p in points]
        self._value, self._now, self._interval_s = value, now, collect_interval_s
        self._text, self._sampled = b"", -float("inf")

    def text(self) -> bytes:
        """What is printed now."""
        faults, now = self.faults, self._now()
        is_due = now - self._sampled >= self._interval_s and not faults.frozen
        if is_due or not self._text:
            self._text, self._sampled = self._print().encode(), now
        return self._text.replace(b'="', b'="\xff') if faults.not_utf8 else self._text

    def _print(self) -> str:
        return "".join(block.print(self._value, self.faults) for block in self._blocks)


class _Block:
    """One field: its comment lines, and the series of every component that can have it."""

    def __init__(
        self, point: DcgmPoint, components: Sequence[str], host_name: str, generation: Generation
    ) -> None:
        self._point = point
        name = point.names[0 if generation == "legacy" else -1]
        quantity = load_catalogue()[point.quantity]
        self._comments = f"# HELP {name} {quantity.meaning}\n# TYPE {name} {quantity.kind}\n"
        kind = point.component.partition(".")[0]
        host_label = "Hostname" if generation == "legacy" else "hostname"
        host = f'{host_label}="{host_name}"'
        parts = [c for c in components if c.partition(".")[0] == kind]
        self._heads = [(c, f"{name}{{{_labels(n, c, host)}}} ") for n, c in enumerate(parts)]
        self._format = "%f" if point.field in DOUBLE_FIELDS else "%d"

    def print(self, value: LiveValue, faults: DcgmFaults) -> str:
        """The block as text; empty where no component has a value."""
        lines = [
            head + self._number(found, faults)
            for component, head in self._heads
            if component not in faults.hidden
            and (found := value(component, self._point.quantity)) is not None
        ]
        if not lines:
            return ""
        if faults.duplicated:
            lines.append(lines[0] + "1")
        return self._comments + "\n".join(lines) + "\n"

    def _number(self, value: float, faults: DcgmFaults) -> str:
        if self._point.quantity in faults.blank:
            return BLANK
        raw = (value - self._point.offset) / self._point.scale
        return self._format % (raw if self._format == "%f" else round(raw))


def _labels(place: int, component: str, host: str) -> str:
    kind, _, name = component.partition(".")
    if kind == "cpu":
        return f'cpu="{name}",{host}'
    return (
        f'gpu="{place}",UUID="{name}",pci_bus_id="{place + 1:08X}:01:00.0",'
        f'device="nvidia{place}",modelName="{MODEL}",{host},DCGM_FI_DRIVER_VERSION="{DRIVER}"'
    )
