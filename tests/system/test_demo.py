"""`busway demo`: ends well, and leaves no process behind however it is ended."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from processes_rig import (
    Demo,
    Process,
    ask_lake,
    descendants,
    kill,
    running,
    wait_for_the_end_of,
    wait_until,
)

INTERRUPTED = 130
CHILDREN = 6
"""Simulator, broker and the server it carries, sink, two collectors."""


def demo_arguments(directory: Path) -> tuple[str, ...]:
    return ("demo", "--seconds", "60", "--racks", "1", "--keep", str(directory))


def processes_of(directory: Path) -> list[int]:
    """Processes whose command line names the directory."""
    name = str(directory).encode()
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes()
        except OSError:  # ended while we looked
            continue
        if name in line:
            found.append(int(file.parent.name))
    return found


def wait_for_children(demo: Process) -> list[int]:
    """The demo's processes, once all of them run."""
    wait_until(
        lambda: len(descendants(demo.popen.pid)) >= CHILDREN,
        within_s=30,
        what=lambda: f"{CHILDREN} processes below the demo: {demo.output}",
    )
    return descendants(demo.popen.pid)


def test_it_ends_well_and_prints_each_pue(finished_demo: Demo) -> None:
    said = finished_demo.ended
    assert said.returncode == 0, said.stdout + said.stderr
    rows = re.findall(r"^ +([123]) .* (\d\.\d{6}) .* (\d\.\d{6}) .*$", said.stdout, re.MULTILINE)
    assert [category for category, *_ in rows] == ["1", "2", "3"]
    assert "Nothing lost" in said.stdout
    assert not processes_of(finished_demo.directory)


def test_an_interrupt_while_polling_drains_and_ends_every_process(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    with running(*demo_arguments(directory), log=tmp_path / "log") as demo:
        demo.wait_for("Polling for")
        demo.wait_for("| stored")
        children = descendants(demo.popen.pid)
        assert len(children) == CHILDREN
        assert demo.end(signal.SIGINT) == INTERRUPTED
        wait_for_the_end_of(children, within_s=1)
    assert not processes_of(directory)
    window = "'-infinity'::timestamptz, 'infinity'::timestamptz"
    polled = ask_lake(directory / "lake", "select count(*) as n from readings")["n"][0].as_py()
    assert polled > 1_000
    for check in ("every_slot_has_a_poll", "no_batch_is_missing"):
        assert not ask_lake(directory / "lake", f"from {check}({window})").to_pylist()


def test_an_interrupt_during_start_up_ends_every_process(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    with running(*demo_arguments(directory), log=tmp_path / "log") as demo:
        children = wait_for_children(demo)
        assert "Polling for" not in demo.output
        assert demo.end(signal.SIGINT) == INTERRUPTED
        wait_for_the_end_of(children, within_s=1)
    assert not processes_of(directory)


def test_when_it_is_killed_its_processes_end_by_themselves(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    with running(*demo_arguments(directory), log=tmp_path / "log") as demo:
        demo.wait_for("Polling for")
        children = descendants(demo.popen.pid)
        assert len(children) == CHILDREN
        demo.popen.kill()
        try:
            wait_for_the_end_of(children, within_s=20)
        finally:
            kill(children)
    assert not processes_of(directory)
