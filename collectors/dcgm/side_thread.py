"""Calls that block, and may never return, made so that nothing else waits for them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")


class StillBusy(Exception):
    """A call that was given up has not returned yet, so no other is begun."""


class SideThread:
    """Makes calls one at a time, each in a thread of its own.

    A call that outlasts its deadline is left to itself: neither the event loop nor the end of the
    process waits for it. (An executor's threads are joined when the process ends.)
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: Future[Any] | None = None
        self._started_s = 0.0

    async def call(self, work: Callable[[], Result], timeout_s: float) -> Result:
        """What `work` returns; an exception of its own is raised here.

        Raises:
            StillBusy: the call before has not returned.
            TimeoutError: this one does not return in time.
        """
        if self._last is not None and not self._last.done():
            raise StillBusy(f"for {time.monotonic() - self._started_s:.1f} s")
        future: Future[Result] = Future()
        future.set_running_or_notify_cancel()  # so that a deadline does not make it done
        self._last, self._started_s = future, time.monotonic()
        settle = threading.Thread(target=_settle, args=(future, work), name=self._name, daemon=True)
        settle.start()
        async with asyncio.timeout(timeout_s):
            return await asyncio.wrap_future(future)


def _settle(future: Future[Result], work: Callable[[], Result]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
        future.set_exception(error)
    else:
        future.set_result(result)
