"""NVML, the driver's own library on the machine of the GPUs; the only module here with pynvml.

All calls block, and one into a driver that hangs does not return.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pynvml  # type: ignore[import-untyped] # it has none

from collectors.dcgm.nvml_answer import Answer, Answers, Gpu, GpuGone, NoAnswer
from collectors.dcgm.nvml_fields import FIELD_VALUES, GETTERS, METRICS, Getter
from facility.errors import DeviceRefused, DeviceUnreachable

NODE_ERRORS = {
    pynvml.NVML_ERROR_UNINITIALIZED,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND,
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
}
"""After these, no GPU of the machine answers."""
GPU_ERRORS = {
    pynvml.NVML_ERROR_GPU_IS_LOST,
    pynvml.NVML_ERROR_RESET_REQUIRED,
    pynvml.NVML_ERROR_GPU_NOT_FOUND,
}
"""After these, one GPU answers no more; any other error is of one call alone."""
NOT_AVAILABLE = (2**32 - 1, 2**64 - 1)
"""NVML_VALUE_NOT_AVAILABLE, unsigned int and unsigned long long."""
MEMBERS = {
    # No field we ask for is a double; driver 545 says so of integers (NVIDIA's bug 4300930).
    pynvml.NVML_VALUE_TYPE_DOUBLE: "uiVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_INT: "uiVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: "ullVal",
    pynvml.NVML_VALUE_TYPE_SIGNED_LONG_LONG: "sllVal",
    pynvml.NVML_VALUE_TYPE_SIGNED_INT: "siVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_SHORT: "usVal",
}
"""Member of the union nvmlValue_t, by nvmlValueType_t."""


class Nvml:
    """A session with NVML.

    Any method raises DeviceError where NVML as a whole does not answer; then stop, and start anew.
    """

    def __init__(self) -> None:
        self.doing = ""
        """The call under way, or the last one."""
        self._started = False
        self._samples: dict[tuple[str, int | None], tuple[Any, Any]] = {}
        """Of each GPU a buffer for the next sample, and the last sample or None."""

    def start(self) -> bool:
        """Begin; False if that has been done."""
        if self._started:
            return False
        self._call("nvmlInit", otherwise=DeviceRefused)
        self._started = True
        return True

    def stop(self) -> None:
        """End: every handle is void. Safe twice, and after any error."""
        if self._started:
            self._started = False
            self.doing = "nvmlShutdown"
            for sample in (sample for pair in self._samples.values() for sample in pair if sample):
                with suppress(pynvml.NVMLError):
                    pynvml.nvmlGpmSampleFree(sample)
            self._samples.clear()
            with suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()

    def count(self) -> int:
        """How many GPUs there are, those that cannot be opened included."""
        return int(self._call("nvmlDeviceGetCount", otherwise=DeviceRefused))

    def open(self, index: int) -> Gpu:
        """One GPU. Raises GpuGone."""
        handle = self._call("nvmlDeviceGetHandleByIndex", index, otherwise=GpuGone)
        uuid = self._call("nvmlDeviceGetUUID", handle, otherwise=GpuGone)
        return Gpu(index, uuid, handle, handle)

    def instances(self, gpu: Gpu) -> list[Gpu]:
        """The GPU's MIG instances; none where it is not divided. Raises GpuGone."""
        found: dict[int, Gpu] = {}
        with suppress(NoAnswer):
            for place in range(self._of(gpu, "nvmlDeviceGetMaxMigDeviceCount", gpu.whole)):
                with suppress(NoAnswer):  # not every place is taken
                    handle = self._of(gpu, "nvmlDeviceGetMigDeviceHandleByIndex", gpu.whole, place)
                    instance = self._of(gpu, "nvmlDeviceGetGpuInstanceId", handle)
                    # Its compute instances share what is read here.
                    found.setdefault(instance, replace(gpu, handle=handle, instance=instance))
        return list(found.values())

    def read(self, gpu: Gpu, fields: Collection[int]) -> Answers:
        """Those of the DCGM fields that NVML has a way for. Raises GpuGone."""
        return self._get(gpu, fields) | self._values(gpu, fields) | self._measure(gpu, fields)

    def _get(self, gpu: Gpu, fields: Collection[int]) -> Answers:
        results: dict[tuple[str, str], Any] = {}
        answers: Answers = {}
        for field in fields:
            if (getter := GETTERS.get(field)) is None:
                continue
            call = (getter.function, getter.argument)
            if call not in results:
                results[call] = self._result(gpu, getter)
            answers[field] = _part(results[call], getter)
        return answers

    def _result(self, gpu: Gpu, getter: Getter) -> Any:
        arguments = [getattr(pynvml, getter.argument)] if getter.argument else []
        try:
            return self._of(gpu, getter.function, gpu.handle, *arguments)
        except NoAnswer as error:
            return error

    def _values(self, gpu: Gpu, fields: Collection[int]) -> Answers:
        names = {field: FIELD_VALUES[field] for field in fields if field in FIELD_VALUES}
        if not names:
            return {}
        ids = [getattr(pynvml, name) for name in names.values()]
        try:
            values = self._of(gpu, "nvmlDeviceGetFieldValues", gpu.handle, ids)
        except NoAnswer as error:
            return _none_of(names, error)
        return {
            field: _answer(names[field], value.nvmlReturn, _number(value))
            for field, value in zip(names, values, strict=True)
        }

    def _measure(self, gpu: Gpu, fields: Collection[int]) -> Answers:
        names = {field: METRICS[field].name for field in fields if field in METRICS}
        if not names:
            return {}
        try:
            before, now = self._sample(gpu)
            request = pynvml.c_nvmlGpmMetricsGet_t(
                pynvml.NVML_GPM_METRICS_GET_VERSION, len(names), before, now
            )
            for metric, name in zip(request.metrics, names.values(), strict=False):
                metric.metricId = getattr(pynvml, name)
            self._of(gpu, "nvmlGpmMetricsGet", request)
        except NoAnswer as error:
            return _none_of(names, error)
        return {
            field: _answer(names[field], metric.nvmlReturn, metric.value, METRICS[field].divisor)
            for field, metric in zip(names, request.metrics, strict=False)
        }

    def _sample(self, gpu: Gpu) -> tuple[Any, Any]:
        """The last sample and a new one."""
        key = (gpu.uuid, gpu.instance)
        if key not in self._samples:
            self._samples[key] = (self._of(gpu, "nvmlGpmSampleAlloc"), None)
        now, before = self._samples[key]
        if gpu.instance is None:
            self._of(gpu, "nvmlGpmSampleGet", gpu.whole, now)
        else:
            self._of(gpu, "nvmlGpmMigSampleGet", gpu.whole, gpu.instance, now)
        if before is None:
            self._samples[key] = (self._of(gpu, "nvmlGpmSampleAlloc"), now)
            raise NoAnswer("the first of two samples")
        self._samples[key] = (before, now)
        return before, now

    def _of(self, gpu: Gpu, function: str, *arguments: Any) -> Any:
        return self._call(function, *arguments, otherwise=NoAnswer, of=gpu.uuid)

    def _call(
        self, function: str, *arguments: Any, otherwise: type[Exception], of: str = ""
    ) -> Any:
        self.doing = f"{function} of {of}" if of else function
        try:
            return getattr(pynvml, function)(*arguments)
        except pynvml.NVMLError as error:
            raise _our_error(error, otherwise) from error


def _our_error(error: pynvml.NVMLError, otherwise: type[Exception]) -> Exception:
    if error.value in NODE_ERRORS:
        return DeviceUnreachable(f"NVML: {error}; is the GPUs' driver installed and loaded here?")
    if error.value in GPU_ERRORS:
        return GpuGone(str(error))
    return otherwise(f"NVML: {error}" if otherwise is DeviceRefused else str(error))


def _number(value: Any) -> int:
    """Of an nvmlFieldValue_t; where its status is an error, its type may be anything."""
    return int(getattr(value.value, MEMBERS.get(value.valueType, "uiVal")))


def _part(result: Any, getter: Getter) -> Answer:
    if isinstance(result, NoAnswer):
        return Answer(str(getter), math.nan, str(result))
    if getter.part.isdigit():
        result = result[int(getter.part)]
    elif getter.part:
        result = getattr(result, getter.part)
    return _answer(str(getter), 0, result, getter.divisor)


def _answer(source: str, status: int, number: float, divisor: float = 1.0) -> Answer:
    """What a call gave, or its own status. Raises GpuGone and DeviceError as any call."""
    if status != pynvml.NVML_SUCCESS:
        error = _our_error(pynvml.NVMLError(status), NoAnswer)
        if not isinstance(error, NoAnswer):
            raise error
        return Answer(source, math.nan, str(error))
    if number in NOT_AVAILABLE or math.isnan(number):
        return Answer(source, math.nan, "not available")
    return Answer(source, number / divisor)


def _none_of(names: dict[int, str], reason: NoAnswer) -> Answers:
    return {field: Answer(name, math.nan, str(reason)) for field, name in names.items()}
