"""An inference server's own exporter: the text it prints, by the profile it is read with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from collectors.profile import Profile, SeriesPoint
from facility.catalogue import load_catalogue
from simulator.exporter_faults import ExporterFaults
from simulator.live_value import LiveValue

_PLACE = re.compile(r"\\\{(\w+)\\\}")


class InferenceServer:
    """One server's text.

    Args:
        profile: names the series; its `exporter` section is given.
        components: what the server has, as the profile's templates name it.
        value: the live value of a component's quantity; None leaves the series out.
    """

    def __init__(self, profile: Profile, components: Iterable[str], value: LiveValue) -> None:
        assert profile.exporter is not None
        self.faults = ExporterFaults()
        self._value = value
        components = tuple(components)
        self._lines = [
            (comment, list(_heads(point, components)), point)
            for point in profile.exporter.points
            for comment in (_comment(point),)
        ]

    def text(self) -> bytes:
        """What is printed now."""
        lines: list[str] = []
        for comment, heads, point in self._lines:
            found = [(head, self._value(component, point.quantity)) for component, head in heads]
            printed = [f"{head} {_raw(point, v)!r}" for head, v in found if v is not None]
            lines += [comment, *printed] if printed else []
        return "".join(f"{line}\n" for line in lines).encode()


def _comment(point: SeriesPoint) -> str:
    name = point.names[0].removesuffix("_bucket")
    kind = load_catalogue()[point.quantity].kind if name == point.names[0] else "histogram"
    return f"# TYPE {name} {kind}"


def _heads(point: SeriesPoint, components: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Components that the point's template fits, and the series of each."""
    form = re.compile(_PLACE.sub(r"(?P<\1>.+)", re.escape(point.component)))
    for component in components:
        if fitting := form.fullmatch(component):
            labels = {
                name: "+Inf" if text == "inf" else text
                for name, text in fitting.groupdict().items()
            }
            inner = ",".join(f'{name}="{text}"' for name, text in labels.items())
            yield component, f"{point.names[0]}{{{inner}}}" if inner else point.names[0]


def _raw(point: SeriesPoint, value: float) -> float:
    return float(round((value - point.offset) / point.scale))
