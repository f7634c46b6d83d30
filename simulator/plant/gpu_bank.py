"""What GPU nodes show: their GPUs by UUID, their CPUs."""

from __future__ import annotations

import uuid

import numpy as np

from simulator.plant.arrays import Floats
from simulator.plant.banks import Bank, Cell
from simulator.plant.clock import StepClock
from simulator.plant.gpus import (
    GPUS_PER_NODE,
    MEMORY_ABOVE_CORE_K,
    MEMORY_HZ,
    SLOWDOWN_C,
)
from simulator.plant.jobs import SIGNALS
from simulator.plant.racks import CPUS_PER_NODE, Racks
from simulator.plant.workload import Workload

MEMORY_BYTES = 186 * 2**30
RESERVED_BYTES = 640 * 2**20
NVLINK_BYTES_PER_S = 1.8e12
PCIE_BYTES_PER_S = 5.5e10
UUID_NAMESPACE = uuid.UUID("6a0f5a53-52b0-4b2f-9d8a-0c3c6f0f5f1e")

SW_POWER_CAP, IDLE = 0x4, 0x1
NOTHING_RUNS = 0.01


class GpuBank:
    """Columns over all GPUs and CPUs; a row is a node.

    Components are `gpu.<UUID>`, the UUID made from the seed, the node's id and the GPU's place, and
    `cpu.<n>` from 0.
    """

    def __init__(
        self, clock: StepClock, racks: Racks, workload: Workload, nodes: list[str], seed: int
    ) -> None:
        self._racks, self._workload, self._nodes, self._seed = racks, workload, nodes, seed
        self._gpus = Bank(clock, racks.gpus.count)
        self._cpus = Bank(clock, len(nodes), {"cpu": range(CPUS_PER_NODE)})
        self._places: dict[int, dict[str, int]] = {}
        self._declare_activity()
        self._declare_board()
        self._declare_rest()
        self._cpus.gauge("cpu", "cpu_power_w", lambda: self._of_cpus(racks.cpu_w))
        self._cpus.gauge("cpu", "temperature_c", lambda: self._of_cpus(38.0 + racks.cpu_w * 0.14))
        self._cpus.gauge("cpu", "module_power_w", self._module_w)

    def find(self, row: int, component: str, quantity: str) -> Cell | None:
        """Where the quantity of a GPU or CPU of the node in a row is; None if nowhere."""
        place = self._of_node(row).get(component)
        if place is None:
            return self._cpus.find(row, component, quantity)
        return self._gpus.find(row * GPUS_PER_NODE + place, "", quantity)

    def components(self, row: int) -> tuple[str, ...]:
        """GPUs, then CPUs, of the node in a row."""
        return (*self._of_node(row), *self._cpus.components(row))

    def _of_node(self, row: int) -> dict[str, int]:
        if row not in self._places:
            self._places[row] = {
                f"gpu.GPU-{uuid.uuid5(UUID_NAMESPACE, f'{self._seed}/{self._nodes[row]}/{n}')}": n
                for n in range(GPUS_PER_NODE)
            }
        return self._places[row]

    def _signal(self, name: str) -> Floats:
        return self._racks.gpus.share(self._workload.activity[SIGNALS.index(name)])

    def _declare_activity(self) -> None:
        gauge, signal = self._gpus.gauge, self._signal
        gauge("", "sm_active_ratio", lambda: signal("sm"))
        gauge("", "sm_occupancy_ratio", lambda: 0.45 * signal("sm"))
        gauge("", "graphics_engine_active_ratio", lambda: np.minimum(1.04 * signal("sm"), 1.0))
        gauge("", "gpu_utilisation_ratio", lambda: np.minimum(2.5 * signal("sm"), 1.0))
        gauge("", "tensor_active_ratio", lambda: signal("tensor"))
        gauge("", "fp16_active_ratio", lambda: 0.06 * signal("sm"))
        gauge("", "fp32_active_ratio", lambda: 0.11 * signal("sm"))
        gauge("", "fp64_active_ratio", lambda: 0.0 * signal("sm"))
        gauge("", "dram_active_ratio", lambda: signal("dram"))
        gauge("", "memory_copy_utilisation_ratio", lambda: 0.8 * signal("dram"))
        gauge("", "nvlink_bandwidth_bytes_per_s", lambda: NVLINK_BYTES_PER_S * signal("nvlink"))
        gauge("", "pcie_sent_bytes_per_s", lambda: PCIE_BYTES_PER_S * 0.2 * signal("nvlink"))
        gauge("", "pcie_received_bytes_per_s", lambda: PCIE_BYTES_PER_S * 0.3 * signal("dram"))

    def _declare_board(self) -> None:
        bank, gpus = self._gpus, self._racks.gpus
        bank.gauge("", "active_power_w", lambda: gpus.power_w)
        bank.register("", "energy_imported_wh", lambda: gpus.energy_wh, lambda: gpus.power_w)
        bank.constant("", "power_limit_w", gpus.limit_w)
        bank.register(
            "", "power_violation_s", lambda: gpus.capped_s, lambda: 3600.0 * gpus.is_capped
        )
        bank.gauge("", "gpu_temperature_c", lambda: gpus.temperature_c)
        bank.gauge("", "memory_temperature_c", lambda: gpus.temperature_c + MEMORY_ABOVE_CORE_K)
        bank.gauge("", "gpu_temperature_margin_c", lambda: SLOWDOWN_C - gpus.temperature_c)
        bank.gauge("", "sm_clock_hz", lambda: gpus.sm_clock_hz(self._signal("sm")))
        bank.gauge("", "clock_event_reasons_code", self._event_reasons)

    def _declare_rest(self) -> None:
        bank = self._gpus
        bank.constant("", "memory_clock_hz", MEMORY_HZ)
        bank.gauge("", "memory_used_bytes", self._memory_used)
        bank.gauge(
            "", "memory_free_bytes", lambda: MEMORY_BYTES - RESERVED_BYTES - self._memory_used()
        )
        bank.constant("", "memory_reserved_bytes", float(RESERVED_BYTES))
        for quantity in (
            "encoder_utilisation_ratio",
            "decoder_utilisation_ratio",
            "thermal_violation_s",
            "xid_error_code",
            "pcie_replay_count",
            "remapped_rows_correctable_count",
            "remapped_rows_uncorrectable_count",
            "row_remap_failure_state",
        ):
            bank.constant("", quantity, 0.0)

    def _memory_used(self) -> Floats:
        """Whole bytes: a running job fills most of the memory."""
        share = np.where(self._signal("sm") > NOTHING_RUNS, 0.86, 0.004)
        return np.floor(share * self._racks.gpus.quality * MEMORY_BYTES)

    def _event_reasons(self) -> Floats:
        capped = np.where(self._racks.gpus.is_capped, SW_POWER_CAP, 0)
        return np.where(self._signal("sm") > NOTHING_RUNS, capped, IDLE).astype(np.float64)

    def _of_cpus(self, of_rack: Floats) -> Floats:
        return np.repeat(of_rack, self._racks.nodes.astype(np.intp) * CPUS_PER_NODE)

    def _module_w(self) -> Floats:
        """A CPU and the GPUs on its board."""
        gpus = self._racks.gpus.power_w.reshape(-1, GPUS_PER_NODE // CPUS_PER_NODE).sum(axis=1)
        module: Floats = self._of_cpus(self._racks.cpu_w) + gpus
        return module
