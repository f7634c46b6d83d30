"""How NVML gives what a DCGM field says, in the unit that the field has.

Of each field, the call that DCGM itself makes for it (DcgmCacheManager.cpp, dcgm_fields.cpp and
DcgmGpmManager.cpp of DCGM 4.6.0). NVML has no call for the other fields of the profile: Xid errors
come as events only, and a Grace CPU is not NVML's.
"""

from __future__ import annotations

from typing import NamedTuple

MILLI, MEBI, PERCENT = 1000.0, 2.0**20, 100.0
PER_MEBI = 1 / MEBI


class Getter(NamedTuple):
    """A function of NVML, `part` of its result, and by what to divide that."""

    function: str
    argument: str = ""
    """A constant's name; none where it is empty."""
    part: str = ""
    divisor: float = 1.0

    def __str__(self) -> str:
        return f"{self.function}({self.argument})" + (f".{self.part}" if self.part else "")


class Metric(NamedTuple):
    """A metric that NVML makes of two samples, and by what to divide it."""

    name: str
    divisor: float


GETTERS = {
    100: Getter("nvmlDeviceGetClockInfo", "NVML_CLOCK_SM"),
    101: Getter("nvmlDeviceGetClockInfo", "NVML_CLOCK_MEM"),
    112: Getter("nvmlDeviceGetCurrentClocksEventReasons"),
    150: Getter("nvmlDeviceGetTemperature", "NVML_TEMPERATURE_GPU"),
    153: Getter("nvmlDeviceGetMarginTemperature"),
    155: Getter("nvmlDeviceGetPowerUsage", divisor=MILLI),
    164: Getter("nvmlDeviceGetEnforcedPowerLimit", divisor=MILLI),
    203: Getter("nvmlDeviceGetUtilizationRates", part="gpu"),
    204: Getter("nvmlDeviceGetUtilizationRates", part="memory"),
    206: Getter("nvmlDeviceGetEncoderUtilization", part="0"),
    207: Getter("nvmlDeviceGetDecoderUtilization", part="0"),
    251: Getter("nvmlDeviceGetMemoryInfo", "nvmlMemory_v2", "free", MEBI),
    252: Getter("nvmlDeviceGetMemoryInfo", "nvmlMemory_v2", "used", MEBI),
    253: Getter("nvmlDeviceGetMemoryInfo", "nvmlMemory_v2", "reserved", MEBI),
}
FIELD_VALUES = {
    140: "NVML_FI_DEV_MEMORY_TEMP",
    156: "NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
    202: "NVML_FI_DEV_PCIE_REPLAY_COUNTER",
    240: "NVML_FI_DEV_PERF_POLICY_POWER",
    241: "NVML_FI_DEV_PERF_POLICY_THERMAL",
    393: "NVML_FI_DEV_REMAPPED_UNC",
    394: "NVML_FI_DEV_REMAPPED_COR",
    395: "NVML_FI_DEV_REMAPPED_FAILURE",
}
"""What one nvmlDeviceGetFieldValues gives at once, in DCGM's units as they are."""
METRICS = {
    1001: Metric("NVML_GPM_METRIC_GRAPHICS_UTIL", PERCENT),
    1002: Metric("NVML_GPM_METRIC_SM_UTIL", PERCENT),
    1003: Metric("NVML_GPM_METRIC_SM_OCCUPANCY", PERCENT),
    1004: Metric("NVML_GPM_METRIC_ANY_TENSOR_UTIL", PERCENT),
    1005: Metric("NVML_GPM_METRIC_DRAM_BW_UTIL", PERCENT),
    1006: Metric("NVML_GPM_METRIC_FP64_UTIL", PERCENT),
    1007: Metric("NVML_GPM_METRIC_FP32_UTIL", PERCENT),
    1008: Metric("NVML_GPM_METRIC_FP16_UTIL", PERCENT),
    1009: Metric("NVML_GPM_METRIC_PCIE_TX_PER_SEC", PER_MEBI),
    1010: Metric("NVML_GPM_METRIC_PCIE_RX_PER_SEC", PER_MEBI),
}
"""GPU performance monitoring, which GPUs have from Hopper on."""
