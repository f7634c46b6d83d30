"""A roll-up in a process of its own that kills itself, as kill -9 would, at a named step.

Arguments: the lake's directory, the step.
"""

from __future__ import annotations

import os
import signal
import sys

from sql_bench import at

from warehouse.connection import Connection
from warehouse.lake import Lake
from warehouse.rollup import quarters
from warehouse.rollup.roll_up import roll_up
from warehouse.sink import ENGINE

directory, step = sys.argv[1], sys.argv[2]


def killing(original, *, when: str, before: bool = False, match=lambda *_: True):
    """Wrap a step so that the process dies before or after it."""

    def wrapped(*arguments, **options):
        is_it = step == when and match(*arguments)
        if is_it and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **options)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


quarters.write_file = killing(quarters.write_file, when="written")
quarters.store = killing(
    killing(quarters.store, when="before_commit", before=True), when="after_commit"
)
taken: list[None] = []
Connection.changed_rows = killing(Connection.changed_rows, when="in_transaction")
with Lake.create_or_open(directory, settings=ENGINE) as lake:
    roll_up(lake, now=at(5 * 3600))
