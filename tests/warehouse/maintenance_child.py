"""A maintainer in a process of its own: the lake's directory, and the step at which it dies.

It kills itself as kill -9 would; at the step `never` it says that it works, and compacts until it
is killed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from warehouse.connection import Connection, connect
from warehouse.lake import Lake
from warehouse.location import LakeLocation
from warehouse.maintenance import compaction
from warehouse.maintenance.compaction import compact
from warehouse.sink import ENGINE

directory, step = sys.argv[1:]


def killing(original, *, when: str, before: bool = False, match=lambda *_: True):
    def wrapped(*arguments, **options):
        is_it = step == when and match(*arguments)
        if is_it and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **options)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


location = LakeLocation.of_directory(directory)
with Lake(location, connect(location, read_only=False, settings=ENGINE)) as lake:
    compaction.write_pieces = killing(compaction.write_pieces, when="half_written")
    Path.rename = killing(Path.rename, when="renamed")
    compaction.swap = killing(compaction.swap, when="after_commit")
    Connection.execute = killing(
        Connection.execute,
        when="in_transaction",
        before=True,
        match=lambda _, text, *__: text == "commit",
    )
    sys.stdout.write("works\n")
    sys.stdout.flush()
    while True:
        compact(lake)
