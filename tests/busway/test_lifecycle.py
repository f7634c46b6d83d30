"""A process is stopped by a signal, by the end of its input, or by its own failure."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

WAITS = """
import asyncio
from busway.lifecycle import run_process
from busway.logs import set_up_logs
set_up_logs()
async def main(stop):
    print("up", flush=True)
    await stop.wait()
    print("drained", flush=True)
    {after}
run_process(main, stop_on_eof={eof})
"""


def start(*, after: str = "pass", eof: bool = False) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS.format(after=after, eof=eof)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(number: signal.Signals) -> None:
    with start() as process:
        process.send_signal(number)
        assert process.communicate(timeout=20)[0] == "drained\n"
    assert process.returncode == 0


def test_a_child_ends_when_its_parent_lets_go_of_the_pipe() -> None:
    with start(eof=True) as process:
        assert process.communicate(timeout=20)[0] == "drained\n"
    assert process.returncode == 0


def test_a_second_signal_forces() -> None:
    with start(after="await asyncio.sleep(60)") as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "drained\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 130


def test_an_error_of_ours_leaves_its_task_group_by_itself() -> None:
    code = """
import asyncio
from busway.lifecycle import run_beside, run_process
from facility.errors import LakeUnavailable
def fails(stop):
    raise LakeUnavailable("the disk is gone")
async def main(stop):
    async with asyncio.TaskGroup() as group:
        group.create_task(run_beside(stop, fails, name="sink"))
        await asyncio.sleep(60)
try:
    run_process(main)
except LakeUnavailable as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "the disk is gone\n"


HANGS = """
import asyncio, threading, time
from busway import cli
from busway.lifecycle import run_beside, run_process
from busway.logs import set_up_logs
set_up_logs()
async def main(stop):
    loop = asyncio.get_running_loop()
    loop.run_in_executor(None, threading.Event().wait)
    loop.call_later(0.2, stop.set)
    print("up", flush=True)
    await run_beside(stop, lambda _: time.sleep(3600), name="engine", patience_s=0.2)
    print("drained", flush=True)
def command():
    run_process(main)
    print("closed", flush=True)
    raise SystemExit({status})
cli.app, cli.LEAVE_SECONDS = command, 0.3
cli.main()
"""


@pytest.mark.parametrize("status", [0, 3])
def test_threads_that_hang_do_not_keep_the_process(status: int) -> None:
    """As those of a name server that never answers."""
    ended = subprocess.run(
        [sys.executable, "-c", HANGS.format(status=status)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == status, ended.stderr
    lines = ended.stdout.splitlines()
    assert [lines[0], *lines[-2:]] == ["up", "drained", "closed"]
    assert "A thread hangs and is left behind." in ended.stderr


STANDS = """
import asyncio, gc, weakref
from busway import lifecycle
class Part: pass
def pair():
    one, other = Part(), Part()
    one.other, other.one = other, one
    return one
async def main(stop):
    stands = [pair() for _ in range(10_000)]
    await asyncio.sleep(0.2)
    print(gc.get_freeze_count() > len(stands), flush=True)
    seen = weakref.ref(stands.pop())
    gc.collect()
    print(seen() is None, flush=True)
    await asyncio.sleep(0.4)
    print(seen() is None, flush=True)
lifecycle.SETTLING_S, lifecycle.LOOK_ANEW_S = (0.1,), 0.3
lifecycle.run_process(main)
"""


def test_what_stands_is_left_out_of_collections_until_all_is_looked_at_anew() -> None:
    """A part that has gone since is garbage that only a look at all finds."""
    ended = subprocess.run(
        [sys.executable, "-c", STANDS], capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.stdout.splitlines() == ["True", "False", "True"], ended.stderr
