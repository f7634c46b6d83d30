"""The maintainer: runs jobs one after another, each when it is due; one that fails stops no other.

Any number of maintainers may run on one lake. Each job is one transaction at a time that finds the
lake as it expects it or stores nothing, so two only do work in vain.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import prometheus_client
import structlog

from facility.errors import BuswayError
from warehouse.lake import Lake
from warehouse.maintenance.report import Report

RUNS = prometheus_client.Counter("busway_maintenance_runs", "Runs of a job.", ["job"])
FAILURES = prometheus_client.Counter("busway_maintenance_failures", "Runs that failed.", ["job"])
SECONDS = prometheus_client.Histogram(
    "busway_maintenance_seconds",
    "Time of one run.",
    ["job"],
    buckets=(0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 1800),
)
FILES_IN = prometheus_client.Counter(
    "busway_maintenance_files_in", "Files that a job read and replaced, or removed.", ["job"]
)
FILES_OUT = prometheus_client.Counter("busway_maintenance_files_out", "Files written.", ["job"])
BYTES_IN = prometheus_client.Counter(
    "busway_maintenance_bytes_in", "Bytes of the files taken in.", ["job"]
)
BYTES_OUT = prometheus_client.Counter("busway_maintenance_bytes_out", "Bytes written.", ["job"])
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done again and again; what `run` gives, if not a `Report`, is logged."""

    name: str
    run: Callable[[Lake], object]
    interval_s: float


@dataclass(slots=True)
class _Standing:
    due: float = 0.0
    trouble: str = ""
    runs: int = 0
    failures: int = 0


class Maintainer:
    """Jobs on one lake, in one thread; `health` from any."""

    def __init__(self, lake: Lake, jobs: Sequence[Job]) -> None:
        self._lake = lake
        self._jobs = tuple(jobs)
        self._standings = {job.name: _Standing() for job in jobs}

    def run(self, stop: threading.Event) -> None:
        """Run what is due, until told to stop; a run that has begun is finished."""
        while not stop.is_set():
            for job in self._jobs:
                if not stop.is_set() and time.monotonic() >= self._standings[job.name].due:
                    self._run(job)
            next_due = min(standing.due for standing in self._standings.values())
            stop.wait(max(0.0, next_due - time.monotonic()))

    def run_once(self) -> bool:
        """Run each job until it has nothing more to do now; say whether all went well."""
        for job in self._jobs:
            while self._run(job):
                pass
        return not any(standing.trouble for standing in self._standings.values())

    def health(self) -> dict[str, Any]:
        """Say how the jobs do."""
        troubles = [f"{name}: {s.trouble}" for name, s in self._standings.items() if s.trouble]
        return {
            "ready": True,
            "trouble": "; ".join(troubles),
            "jobs": {
                name: {"runs": s.runs, "failures": s.failures, "trouble": s.trouble}
                for name, s in self._standings.items()
            },
        }

    def _run(self, job: Job) -> bool:
        """Run a job once; say whether it has more to do now."""
        standing = self._standings[job.name]
        started = time.monotonic()
        report = Report()
        try:
            done = job.run(self._lake)
            report = done if isinstance(done, Report) else report
            self._note(job, done, time.monotonic() - started)
            standing.trouble = report.trouble
        except BuswayError as error:
            self._note_failure(job, str(error))
            log.error("A job failed; it is tried again.", job=job.name, error=str(error))  # noqa: TRY400 - the message says all
        except Exception as error:
            self._note_failure(job, repr(error))
            log.exception("A job failed; it is tried again.", job=job.name)
        RUNS.labels(job.name).inc()
        standing.runs += 1
        SECONDS.labels(job.name).observe(time.monotonic() - started)
        standing.due = time.monotonic() + (0.0 if report.more else job.interval_s)
        return report.more

    def _note(self, job: Job, done: object, seconds: float) -> None:
        if not isinstance(done, Report):
            log.info("Done.", job=job.name, seconds=round(seconds, 2), report=str(done))
            return
        FILES_IN.labels(job.name).inc(done.files_in)
        FILES_OUT.labels(job.name).inc(done.files_out)
        BYTES_IN.labels(job.name).inc(done.bytes_in)
        BYTES_OUT.labels(job.name).inc(done.bytes_out)
        if not done.is_idle:
            log.info(
                "Done.",
                job=job.name,
                seconds=round(seconds, 2),
                files_in=done.files_in,
                files_out=done.files_out,
                bytes_in=done.bytes_in,
                bytes_out=done.bytes_out,
                rows=done.rows,
            )
        if done.trouble and done.trouble != self._standings[job.name].trouble:
            log.error("The lake needs a hand.", job=job.name, trouble=done.trouble)

    def _note_failure(self, job: Job, trouble: str) -> None:
        FAILURES.labels(job.name).inc()
        standing = self._standings[job.name]
        standing.failures += 1
        standing.trouble = trouble
