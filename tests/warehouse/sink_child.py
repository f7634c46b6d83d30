"""A sink in a process of its own that kills itself, as kill -9 would, at a named step.

Arguments: the lake's directory, the step, and at which commit.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sink_feed import crash_log, make_sink, one_log, run_to_end

from warehouse import parquet_files, writer
from warehouse.connection import Connection
from warehouse.lake import Lake
from warehouse.sink import ENGINE

directory, step, occasion = sys.argv[1], sys.argv[2], int(sys.argv[3])
commits: list[None] = []


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killing(original, *, when: str, before: bool = False, match=lambda *_: True):
    """Wrap a step so that the process dies before or after it, at the chosen commit."""

    def wrapped(*arguments, **options):
        is_it = step == when and len(commits) + 1 >= occasion and match(*arguments)
        if is_it and before:
            die()
        result = original(*arguments, **options)
        if is_it:
            die()
        return result

    return wrapped


def half_written(table, file, **options):
    if step == "half_written" and len(commits) + 1 >= occasion:
        file.write(b"PAR1 and then nothing")
        file.flush()
        die()
    return write_table(table, file, **options)


def counting(original):
    def wrapped(*arguments):
        result = original(*arguments)
        commits.append(None)
        return result

    return wrapped


write_table = parquet_files.pq.write_table
parquet_files.pq.write_table = killing(half_written, when="written")
Path.rename = killing(Path.rename, when="renamed")
writer.commit = counting(
    killing(killing(writer.commit, when="before_commit", before=True), when="after_commit")
)
Connection.execute = killing(
    Connection.execute,
    when="in_transaction",
    before=True,
    match=lambda _, text, *__: text == "commit",
)
with Lake.create_or_open(directory, settings=ENGINE) as lake:
    feed = one_log(crash_log())
    run_to_end(make_sink(lake, feed, flush_rows=200, flush_seconds=60), feed)
