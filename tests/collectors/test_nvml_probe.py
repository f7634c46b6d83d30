"""`busway probe nvml://localhost` as a process, with a stand-in for NVIDIA's library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from ctypes.util import find_library
from pathlib import Path

import pytest

from tests.collectors.nvml_rig import GPUS, PROFILE, compile_fake


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_fake(tmp_path_factory.mktemp("nvml"))


def probe(
    folder: Path | None, *, timeout_s: float = 3.0, **environment: str
) -> subprocess.CompletedProcess[str]:
    path = {"LD_LIBRARY_PATH": str(folder)} if folder else {}
    options = ("--profile", PROFILE.name, "--timeout", str(timeout_s), "--format", "json")
    return subprocess.run(
        [sys.executable, "-m", "busway", "probe", "nvml://localhost", *options],
        env=os.environ | path | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_probe_prints_every_point_with_the_call_it_came_from(library: Path) -> None:
    done = probe(library.parent)
    assert done.stderr == ""
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["component"] for row in printed} == set(GPUS)
    power = next(row for row in printed if row["quantity"] == "active_power_w")
    assert (power["component"], power["value"], power["unit"]) == (GPUS[0], 703.459, "W")
    assert (power["quality"], power["source"]) == ("good", "nvmlDeviceGetPowerUsage()")


def test_a_process_ends_though_its_driver_hangs(library: Path) -> None:
    begun_s = time.perf_counter()
    done = probe(library.parent, timeout_s=0.3, FAKE_NVML_HANGING="nvmlInit")
    assert done.returncode != 0
    assert "nvml://localhost: timeout: no answer within 0.27 s: nvmlInit" in done.stderr
    assert time.perf_counter() - begun_s < 15


def test_a_machine_without_the_driver_is_told_so() -> None:
    if find_library("nvidia-ml"):
        pytest.skip("this machine has libnvidia-ml.so.1")
    done = probe(None)
    assert done.returncode != 0
    assert "unreachable: NVML: NVML Shared Library Not Found; is the GPUs' driver" in done.stderr


def test_a_collector_for_its_own_machine_is_refused_where_no_address_is_that_machine() -> None:
    site = Path(__file__).parents[2] / "examples" / "gpu-nodes" / "site.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "busway", "collect", "--site", site, "--shard", "local"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "no nvml:// address is this machine, " in done.stderr
