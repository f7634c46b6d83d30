"""The life of a process: started, told to stop, drained, ended; a second signal forces."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

from facility.errors import BuswayError
from facility.garbage import spare_what_stands

log = structlog.get_logger()

Main = Callable[[asyncio.Event], Awaitable[None]]
FORCED_EXIT_STATUS = 130
SETTLING_S = (5.0, 15.0, 40.0)
"""From the start, and from one to the next: then devices are polled, then most parts are known."""
LOOK_ANEW_S = 3600.0


def run_process(
    main: Main, *, on_reload: Callable[[], None] | None = None, stop_on_eof: bool = False
) -> None:
    """Run `main(stop)` until it returns; SIGTERM and SIGINT set `stop`, SIGHUP calls `on_reload`.

    With `stop_on_eof`, the end of standard input stops it too: a child whose parent died, however
    it died, drains and ends.
    """
    try:
        asyncio.run(_run(main, on_reload, stop_on_eof=stop_on_eof))
    except BaseExceptionGroup as group:
        ours = group.subgroup(BuswayError)
        if ours is None:
            raise
        raise _first_of(ours) from group


def _first_of(group: BaseExceptionGroup[BuswayError]) -> BuswayError:
    """The error that a task group was ended by, out of however many groups stand around it."""
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first


async def _run(main: Main, on_reload: Callable[[], None] | None, *, stop_on_eof: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop(name: str) -> None:
        if stop.is_set():
            log.warning("Forced to stop before everything was drained.", signal=name)
            os._exit(FORCED_EXIT_STATUS)
        log.debug("Stopping.", signal=name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop, number.name)
    if on_reload is not None:
        loop.add_signal_handler(signal.SIGHUP, on_reload)
    if stop_on_eof:
        _call_at_end_of_input(lambda: loop.call_soon_threadsafe(stop.set))
    sparing = loop.create_task(spare_regularly())
    try:
        await main(stop)
    finally:
        sparing.cancel()
        # The end of the loop waits for its executor, where a look-up of a name may hang for ever.
        loop.set_default_executor(ThreadPoolExecutor(1))


async def spare_regularly() -> None:
    """Keep what stands out of garbage collections, for as long as the process runs."""
    for wait_s in SETTLING_S:
        await asyncio.sleep(wait_s)
        spare_what_stands()
    while True:
        await asyncio.sleep(LOOK_ANEW_S)
        spare_what_stands(anew=True)


def _call_at_end_of_input(callback: Callable[[], object]) -> None:
    """Watch standard input from a daemon thread: the one place where a blocking read is right."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        callback()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait until `stop` is set, for at most so long."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def run_beside(
    stop: asyncio.Event,
    blocking: Callable[[threading.Event], None],
    *,
    name: str,
    patience_s: float | None = None,
) -> None:
    """Run a blocking loop in a thread of its own until `stop` is set or it fails.

    An error in the thread is raised here, so the process ends instead of limping. A thread that
    does not end within `patience_s` of the stop, as while it looks up a name, is left behind.
    """
    thread_stop = threading.Event()
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def body() -> None:
        try:
            blocking(thread_stop)
        except BaseException as error:  # noqa: BLE001 - handed over whole to the waiting task
            loop.call_soon_threadsafe(_settle, done, error)
        else:
            loop.call_soon_threadsafe(_settle, done, None)

    thread = threading.Thread(target=body, name=name, daemon=True)
    thread.start()
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({done, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        thread_stop.set()
        stopping.cancel()
    ended, _ = await asyncio.wait({done}, timeout=patience_s)
    if ended:
        await done
    else:
        log.error("A thread hangs and is left behind.", thread=name, waited_s=patience_s)


def _settle(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
