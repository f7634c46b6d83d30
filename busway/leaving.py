"""The end of a process, whatever its threads hang in."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress


def leave_within(seconds: float, status: int) -> None:
    """Have the process end with `status` after so long; the last thing that it does.

    Python itself waits for every thread of a pool, and one may look up a name that no server ever
    answers for. All that must be kept is on disk by then.
    """

    def leave() -> None:
        time.sleep(seconds)
        os._exit(status)

    with suppress(OSError, ValueError):  # who reads may be slow, or gone
        sys.stdout.flush()
    threading.Thread(target=leave, name="leave", daemon=True).start()
