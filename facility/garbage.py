"""Python's garbage collector, where it only costs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Spare the garbage collector: of 90,000 devices none is garbage, and looking took half."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def spare_what_stands(*, anew: bool = False) -> None:
    """Collect, then leave all that is left out of later collections.

    The devices and rules of a daemon stand as long as it runs: looking through 3,300 devices' for
    garbage stopped it for a quarter of a second, every few seconds.

    Args:
        anew: look through what was left out before, too; parts of it may have become garbage.
    """
    if anew:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
