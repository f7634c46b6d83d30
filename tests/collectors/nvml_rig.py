"""A GPU node without a GPU: a stand-in for NVIDIA's library, under its real Python bindings."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collectors.dcgm.nvml_source import NvmlSource
from collectors.dcgm.opening import open_dcgm
from collectors.profile_library import load_profile
from facility.site import Device, ExpectedGpus, Site

SOURCE = Path(__file__).with_name("nvml") / "fake_nvml.c"
PROFILE = load_profile("nvidia-dcgm-exporter")
GPUS = tuple(f"gpu.GPU-{letter * 4}0000-0000-0000-0000-000000000000" for letter in "ab")


class Fake(ctypes.Structure):
    """`struct fake` of fake_nvml.c, which says what each means."""

    _fields_ = (
        ("init_error", ctypes.c_int),
        ("initialised", ctypes.c_int),
        ("gpus", ctypes.c_int),
        ("lost", ctypes.c_int * 2),
        ("instances", ctypes.c_int * 2),
        ("frozen", ctypes.c_int),
        ("failing", ctypes.c_char * 64),
        ("error", ctypes.c_int),
        ("hanging", ctypes.c_char * 64),
        ("energy_mj", ctypes.c_uint64 * 2),
        ("power_mw", ctypes.c_uint),
        ("field_error", ctypes.c_int),
        ("inits", ctypes.c_int),
        ("shutdowns", ctypes.c_int),
        ("samples", ctypes.c_int),
    )


def compile_fake(folder: Path) -> Path:
    """The library, compiled into the folder under the name that the bindings load."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc) to build a stand-in for libnvidia-ml.so.1 with")
    library = folder / "libnvidia-ml.so.1"
    flags = ("-shared", "-fPIC", f"-Wl,-soname,{library.name}")
    subprocess.run([compiler, *flags, "-o", library, SOURCE, "-lm"], check=True, timeout=60)
    return library


def load_fake(library: Path) -> tuple[ctypes.CDLL, Fake]:
    """Load it into this process; the bindings then get it as well, by the name it bears."""
    loaded = ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    return loaded, Fake.in_dll(loaded, "fake")


def gpu_node(
    timeout_s: float = 2.0,
    address: str = "nvml://localhost",
    gpus: ExpectedGpus | None = None,
) -> NvmlSource:
    """The source of this machine's GPUs, opened as a daemon opens it."""
    device = Device(
        id="node-1",
        profile=PROFILE.name,
        address=address,
        role="gpu_node",
        interval_seconds=1.0,
        timeout_seconds=timeout_s,
        gpus=gpus,
    )
    source = open_dcgm(device, PROFILE, Site(name="test", devices=(device,)))
    assert isinstance(source, NvmlSource)
    return source


@asynccontextmanager
async def opened(
    timeout_s: float = 2.0, gpus: ExpectedGpus | None = None
) -> AsyncIterator[NvmlSource]:
    """A source that is closed at the end, as often as a daemon may close it."""
    source = gpu_node(timeout_s, gpus=gpus)
    try:
        yield source
    finally:
        await source.close()
        await source.close()
