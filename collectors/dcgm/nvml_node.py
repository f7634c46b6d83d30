"""All that NVML gives of one machine for the points of a profile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from collectors.dcgm.nvml import Nvml
from collectors.dcgm.nvml_answer import Gpu, GpuGone
from collectors.dcgm.nvml_fields import METRICS
from collectors.exporter.series import Key, fill
from collectors.profile import DcgmPoint
from facility.errors import DeviceError

FIRST_SPAN_S = 0.1
"""Between the first two samples of what takes two; then one reading's is the next one's first."""
OF_AN_INSTANCE = "{GPU_I_ID}"


@dataclass(slots=True)
class NodeReading:
    """What one reading gave."""

    numbers: dict[Key, float] = field(default_factory=dict)
    """In the units of the DCGM fields."""
    sources: dict[Key, str] = field(default_factory=dict)
    """The call that gave each."""
    reasons: dict[Key, str] = field(default_factory=dict)
    """Why there is no number."""
    gone: dict[str, str] = field(default_factory=dict)
    """Why a GPU answers nothing, by UUID."""
    unknown: list[str] = field(default_factory=list)
    """Why GPUs could not be opened that never were; no UUID names them."""

    def why_not(self, key: Key) -> str:
        """Why a row has no number."""
        if key in self.reasons:
            return self.reasons[key]
        whole = key.component.partition("/")[0]
        gone = [why for uuid, why in self.gone.items() if whole.endswith(uuid)]
        return [*gone, *self.unknown, "NVML does not list it"][0]


class NvmlNode:
    """Reads one machine, in calls that block.

    Components are named as `collectors.dcgm.fields.Fields` names those of an exporter's series.

    Args:
        points: the profile's; those whose DCGM field NVML does not give have no number.
    """

    def __init__(self, points: Sequence[DcgmPoint]) -> None:
        self.nvml = Nvml()
        self._points = list(enumerate(points))
        self._takes_two = any(point.field in METRICS for point in points)
        self._uuids: dict[int, str] = {}

    def read(self) -> NodeReading:
        """Read all once.

        Raises:
            DeviceError: NVML does not answer; the next reading starts it anew.
        """
        try:
            if self.nvml.start() and self._takes_two:
                self._read()
                time.sleep(FIRST_SPAN_S)
            reading = self._read()
        except DeviceError:
            self.stop()
            raise
        return reading

    def stop(self) -> None:
        """Let go of NVML; the next reading starts it anew."""
        self._uuids.clear()
        self.nvml.stop()

    def _read(self) -> NodeReading:
        reading = NodeReading()
        for index in range(self.nvml.count()):
            try:
                gpu = self.nvml.open(index)
                self._uuids[index] = gpu.uuid
                self._read_gpu(gpu, reading)
            except GpuGone as error:
                if index in self._uuids:
                    reading.gone[self._uuids[index]] = str(error)
                else:
                    reading.unknown.append(str(error))
        return reading

    def _read_gpu(self, gpu: Gpu, reading: NodeReading) -> None:
        """As an exporter does, ask a divided GPU's instances for what is an instance's."""
        instances = self.nvml.instances(gpu)
        if not instances:
            self._take(gpu, self._points, reading)
            return
        own = [(n, p) for n, p in self._points if OF_AN_INSTANCE not in p.component]
        self._take(gpu, own, reading)
        shared = [(n, p) for n, p in self._points if OF_AN_INSTANCE in p.component]
        for instance in instances:
            self._take(instance, shared, reading)

    def _take(
        self, gpu: Gpu, points: Sequence[tuple[int, DcgmPoint]], reading: NodeReading
    ) -> None:
        answers = self.nvml.read(gpu, {point.field for _, point in points})
        labels = {"gpu": str(gpu.index), "UUID": gpu.uuid}
        if gpu.instance is not None:
            labels["GPU_I_ID"] = str(gpu.instance)
        for number, point in points:
            answer, component = answers.get(point.field), fill(point.component, labels)
            if answer is None or component is None:
                continue
            key = Key(component, number)
            if answer.reason:
                reading.reasons[key] = answer.reason
            else:
                reading.numbers[key] = answer.number
                reading.sources[key] = answer.source
