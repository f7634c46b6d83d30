"""Everything that is measured, as one table: `python -m bench [--only modbus,sink] [--quick]`.

Each stage runs in a process of its own, and within a time of its own, so that none disturbs
another and all of them end within WHOLE_S. The figures go to build/bench.json as well.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import report
from bench.harness import Scale

STAGES = {
    "loads": "bench.loads",
    "modbus": "bench.modbus",
    "snmp": "bench.snmp",
    "dcgm": "bench.dcgm",
    "poller": "bench.poller",
    "codec": "bench.codec",
    "alerts": "bench.alerts",
    "told": "bench.told",
    "hooks": "bench.hooks",
    "stream": "bench.stream",
    "sink": "bench.sink",
    "flow": "bench.flow",
    "growth": "bench.growth",
    "freshness": "bench.freshness",
    "storage": "bench.storage",
    "queries": "bench.queries",
    "rollup": "bench.rollup",
}
UNLOADED = frozenset({"hooks", "modbus", "snmp", "dcgm", "poller", "queries"})
"""Stages that need no load."""
WHOLE_S = 590.0
STAGE_S = 150.0
BUILD = Path(__file__).parents[1] / "build"
LOG = BUILD / "bench.log"


def main() -> int:
    """Run what was asked for; 1 where a stage failed, whether or not goals are met."""
    options = _options()
    if options.stage:
        _run_here(options.stage, quick=options.quick)
        return 0
    BUILD.mkdir(exist_ok=True)
    LOG.unlink(missing_ok=True)
    facts: dict[str, Any] = report.machine()
    print(report.heading(), flush=True)
    until = time.monotonic() + WHOLE_S
    names = options.only if UNLOADED.issuperset(options.only) else ["loads", *options.only]
    stages = [_run(name, until, quick=options.quick) for name in dict.fromkeys(names)]
    facts |= {"quick": options.quick, "stages": stages}
    (BUILD / "bench.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    print(f"\n{time.monotonic() - until + WHOLE_S:.0f} s; all figures in {BUILD / 'bench.json'}")
    return int(any(stage["failure"] for stage in stages))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", type=_names, default=list(STAGES), metavar="STAGE,...")
    parser.add_argument("--quick", action="store_true", help="shorter, and less exact")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - STAGES.keys():
        known = ", ".join(STAGES)
        raise argparse.ArgumentTypeError(f"no stage {', '.join(unknown)}; there are {known}")
    return names


def _run_here(name: str, *, quick: bool) -> None:
    """Do a stage in this process; print each figure as a line of JSON."""
    table = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the code logs is no part of the table
    module = importlib.import_module(STAGES[name])
    with tempfile.TemporaryDirectory(prefix=f"busway-bench-{name}-") as scratch:
        scale = Scale(quick=quick, scratch=Path(scratch), loads=BUILD / "bench-loads")
        for figure in module.figures(scale):
            print(json.dumps(report.as_json(figure)), file=table, flush=True)


def _run(name: str, until: float, *, quick: bool) -> dict[str, Any]:
    """Do a stage in a process of its own; print its lines of the table as they come."""
    started = time.monotonic()
    command = [sys.executable, "-m", "bench", "--stage", name, *(["--quick"] if quick else [])]
    found = []
    late = threading.Event()
    with (
        LOG.open("ab") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        timer = threading.Timer(min(STAGE_S, max(0.0, until - started)), _end, (process, late))
        timer.start()
        for line in _lines(process):
            found.append(line)
            print(report.row(name, report.from_json(line)), flush=True)
        status = process.wait()
        timer.cancel()
    failure = "out of time" if late.is_set() else f"status {status}" if status else ""
    if failure:
        print(f"{name}: {failure}; see {LOG}", flush=True)
    seconds = round(time.monotonic() - started, 1)
    return {"stage": name, "seconds": seconds, "failure": failure, "figures": found}


def _lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def _end(process: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    process.terminate()


if __name__ == "__main__":
    sys.exit(main())
