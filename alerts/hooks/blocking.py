"""A blocking client in a thread of its own, so that one that hangs takes none from others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from facility.errors import HookUnavailable


class OwnThread:
    """One thread, made when it is needed."""

    def __init__(self, name: str, timeout_s: float) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[], None]) -> None:
        """Do some work within the time.

        Raises:
            HookUnavailable: it took longer; it may go on for as long as its own timeouts let it.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except TimeoutError:
            raise HookUnavailable(f"not done within {self._timeout_s:g} s") from None

    def close(self) -> None:
        """Let go of the thread, without waiting for what it hangs in."""
        self._executor.shutdown(wait=False, cancel_futures=True)
